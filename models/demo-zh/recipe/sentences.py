"""Sentences as they are said on a property hotline, drawn from the files beside this one and the product's own data.

`draw(count, seed)` gives lists of clauses. sentences.txt says which kinds there are and how often; slots.txt and the
lists of one sentence a line fill them; numbers, addresses and telephone numbers are made here. Of the product come
the categories' words, the wordings that mean danger (regular expressions, drawn from by `wordings.py`), the family
names and how they are spelled out. What is held out for measuring is taken out again by `held_out.py`.
"""

import random
import re
import tomllib
from functools import cache
from pathlib import Path

from wordings import drawn

HERE = Path(__file__).parent
RULES = HERE.parents[2] / "callcenter" / "domain" / "understanding" / "data"
DIGITS = "零一二三四五六七八九"
LISTS = {"emergency": "emergencies.txt", "agent": "agents.txt", "event": "events.txt"}
LEAF = re.compile(r"\(([^()]*)\)|\{([a-z0-9]+)\}")


def _lines(name):
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def number(value):
    """Said as a number below 10,000: 二十三, 一百零八, 一千五百."""
    if value >= 1000:
        rest = value % 1000
        return DIGITS[value // 1000] + "千" + ("" if not rest else ("零" if rest < 100 else "") + _long(rest))
    return _long(value) if value >= 20 else ("十" + DIGITS[value % 10] * (value > 10) if value >= 10 else DIGITS[value])


def _long(value):
    """As within a longer number: 一十三."""
    if value >= 100:
        rest = value % 100
        return DIGITS[value // 100] + "百" + ("" if not rest else ("零" if rest < 10 else "") + _long(rest))
    return DIGITS[value // 10] + "十" + DIGITS[value % 10] * (value % 10 > 0) if value >= 10 else DIGITS[value]


class Sentences:
    def __init__(self, seed):
        self._pick = random.Random(seed)  # noqa: S311 - chooses sentences, keeps no secret
        kinds = [line.split(" ", 1) for line in _lines("sentences.txt")]
        self._weights, self._kinds = [int(weight) for weight, _ in kinds], [kind for _, kind in kinds]
        slots = dict(line.split(": ", 1) for line in _lines("slots.txt"))
        self._slots = {name: [c.replace("_", "") for c in choices.split()] for name, choices in slots.items()}
        self._slots |= {name: _lines(file) for name, file in LISTS.items()}

    def sentence(self):
        """The clauses of one sentence, without punctuation."""
        text = self.fill(self._pick.choices(self._kinds, self._weights)[0])
        return [clause for clause in re.split(r"[，。？！,]+", text) if clause]

    def fill(self, text):
        """`text` with the innermost bracket or slot replaced again and again."""
        while found := LEAF.search(text):
            name = found[2]
            new = self._pick.choice(found[1].split("|")) if name is None else self._slot(name)
            text = text[: found.start()] + new + text[found.end() :]
        return text

    def _slot(self, name):
        if name in self._slots:
            return self._pick.choice(self._slots[name])
        return getattr(self, f"_{name}")()

    def _trouble(self):
        pick, kind = self._pick, self._pick.random()
        if kind < 0.5:
            where = pick.choice(["{home}{room}(|的|里的|里)", "{place}(|的|里的)", "{home}(|的)", "{room}(|的|里)"])
            return f"(||||{{when}}){where}(||||{{when}}){{thing}}{{prob}}"
        if kind < 0.62:
            return pick.choice(["{thing}(|又|一直|老是|突然|全都|都|也){prob}", "{thing}{prob}(|，{prob})"])
        if kind < 0.72:
            return pick.choice(
                ["(|{when}){place}(|又|一直|也|都){prob}", "{room}(|又|一直|都)(漏水|渗水|返水|进水|{prob})"]
            )
        if kind < 0.86:
            return self._product()
        return pick.choice(["{who}{event}", "{place}{event}", "有人(在|把){place}{event}", "{person}{event}"])

    def _product(self):
        """The words of one of the product's categories, with what is usually said around them."""
        words = self._pick.choice(_categories())
        before = "(有|没有|的|是|都是|{degree}|{when}|不|{who}|{place}|{home}|{room}|我要|关于)"
        word = self._pick.choice
        return self._pick.choice(
            [
                word(words),
                word(words) + "(|{suffix}|{prob}|{event})",
                before + word(words) + "{suffix}",
                word(words) + "(|和|的|也|就|都|又|不|没|有|太)" + word(words) + "{suffix}",
            ]
        )

    def _danger(self):
        """A danger as the product's rules know it: a wording, or what they put together, in the order of the rule."""
        if self._pick.random() < 0.3:
            return drawn(self._pick.choice(_dangerous_wordings()), self._pick)
        kinds = self._pick.choice(_danger_rules())
        links = ["", "", "", "了", "，", "在", "的", "里", "把", "被", "一直", "都"]
        parts = [drawn(self._pick.choice(words), self._pick) for words in kinds]
        return "".join(part + self._pick.choice(links) * (n < len(parts) - 1) for n, part in enumerate(parts))

    def _name(self):
        single, compound, _ = _surnames()
        if self._pick.random() >= 0.9:
            return self._pick.choice(compound)
        return self._pick.choice(single[:100] if self._pick.random() < 0.7 else single)

    def _spelled(self):
        return self._pick.choice(_surnames()[2])

    def _char(self):
        return self._pick.choice(_surnames()[0])

    def _said(self, figures):
        """Figures one by one; one caller in two says 幺 for 1, some 洞 and 拐."""
        if self._pick.random() < 0.02:
            return "".join({"0": "洞", "1": "幺", "7": "拐"}.get(f, DIGITS[int(f)]) for f in figures)
        yao = self._pick.random() < 0.55
        return "".join("幺" if f == "1" and yao else DIGITS[int(f)] for f in figures)

    def _figures(self, count):
        return "".join(self._pick.choice("0123456789") for _ in range(count))

    def _digits(self):
        return self._said(self._figures(self._pick.randint(4, 18)))

    def _digits3(self):
        return self._said(self._figures(self._pick.randint(3, 4)))

    def _digits4(self):
        return self._said(self._figures(4))

    def _phone(self):
        pick, kind = self._pick, self._pick.random()
        if kind < 0.72:
            figures = list("1" + pick.choice("3456789") + self._figures(9))
            if pick.random() < 0.35:  # doubled figures are common, and hard to hear
                at = pick.randint(3, 10)
                figures[at] = figures[at - 1]
            figures = "".join(figures)
            if pick.random() < 0.1:
                figures = pick.choice(["86", "0086", "0"]) + figures
            said = self._said(figures)
            return said if pick.random() < 0.8 or len(said) != 11 else f"{said[:3]}，{said[3:7]}，{said[7:]}"
        if kind < 0.88:
            return self._said(pick.choice("2345678") + self._figures(pick.choice([6, 7, 7])))
        if kind < 0.94:
            return self._said(pick.choice(["021", "010", "0512", "0571", "0755"]) + self._figures(8))
        if kind < 0.98:
            return self._said(pick.choice(["400", "800"]) + self._figures(7))
        return self._slot("short")

    def _building(self):
        value = self._pick.randint(1, 38)
        prefix = self._pick.choices(["", "附", "第", "东", "西", "南", "北"], [90, 3, 1, 1, 1, 1, 1])[0]
        return prefix + number(value) + self._pick.choices(["栋", "号楼", "幢", "座", "号"], [45, 25, 20, 5, 5])[0]

    def _address(self):
        pick, kind = self._pick, self._pick.random()
        if kind < 0.05:
            parts = [number(pick.randint(1, 30)), number(pick.randint(1, 6)), self._room_figures()]
            return "杠".join(parts if pick.random() < 0.7 else parts[::2])
        if kind < 0.12:
            room = pick.choice(["{0}", "{0}室", "{0}室", "{0}号"]).format(self._room_figures())
            lane = self._lane()
            house = pick.choice([f"{number(pick.randint(1, 120))}号", f"{number(pick.randint(1, 60))}支弄"])
            return lane + house + pick.choice([room, room, ""])
        parts = [
            f"{number(pick.randint(1, 6))}期",
            f"{pick.choice('东西南北')}区",
            f"{self._slot('company')}花园",
            f"{self._slot('company')}苑",
        ]
        text = pick.choices(["", *parts], [80, 12, 3, 3, 2])[0]
        comma = "，" if pick.random() < 0.06 else ""
        text += comma + self._building() + comma
        if pick.random() < 0.6:
            text += number(pick.randint(1, 6)) + "单元" + comma
        if pick.random() < 0.06:
            text += number(pick.randint(1, 33)) + pick.choice(["楼", "层"])
        if pick.random() >= 0.88:
            return text
        return text + self._room_figures() + pick.choice(["", "", "", "室", "号房", "房"])

    def _room_figures(self):
        floor, door = self._pick.randint(1, 33), self._pick.randint(1, 8)
        return self._said(f"{floor}{door:02d}")

    def _lane(self):
        value = self._pick.randint(2, 1500)
        return (number(value) if self._pick.random() < 0.5 else self._said(str(value))) + "弄"

    def _hour(self):
        return self._pick.choice(["两", *(number(n) for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))])

    def _month(self):
        return number(self._pick.randint(1, 12))

    def _day(self):
        return number(self._pick.randint(1, 31))

    def _count(self):
        return number(self._pick.choice([self._pick.randint(1, 40), self._pick.randint(10, 200)]))

    def _money(self):
        pick = self._pick
        value = pick.choice([pick.randint(2, 99), pick.randint(1, 60) * 50, pick.randint(1, 90) * 100])
        text = number(value)
        return ("两" + text[1:] if text[0] == "二" and value >= 100 else text) + self._pick.choice(
            ["块", "块钱", "元", "块五"]
        )


@cache
def _categories():
    """The words of every category and the neutral ones that are Chinese throughout."""
    with (RULES / "categories.toml").open("rb") as file:
        read = tomllib.load(file)
    groups = [read["neutral"]]
    groups += [one["strong"] + one["words"] for one in read.values() if isinstance(one, dict) and one["strong"]]
    return [[word for word in group if re.fullmatch(r"[\u4e00-\u9fff]+", word)] for group in groups]


@cache
def _dangerous_wordings():
    with (RULES / "urgency.toml").open("rb") as file:
        read = tomllib.load(file)
    terms = {name: "(?:" + "|".join(words) + ")" for name, words in read["terms"].items()}
    groups = [
        *read["danger"].values(),
        *read["urgent"].values(),
        read["masked"],
        read["calm"],
        *read["sounds"].values(),
    ]
    with (RULES / "request_types.toml").open("rb") as file:
        groups += [one[kind] for one in tomllib.load(file).values() for kind in ("explicit", "words")]
    return [_named(pattern, terms) for group in groups for pattern in group]


@cache
def _danger_rules():
    """For each rule the wordings of each of its classes."""
    with (RULES / "danger.toml").open("rb") as file:
        read = tomllib.load(file)
    terms = {}
    for name, patterns in read["words"].items():
        terms[name] = "(?:" + "|".join(_named(pattern, terms) for pattern in patterns) + ")"
    return [[[terms[name]] for name in rule["all"]] for rule in read["danger"]]


def _named(pattern, terms):
    return re.sub(r"\{([a-z_]+)\}", lambda found: terms[found[1]], pattern)


@cache
def _surnames():
    with (RULES / "surnames.toml").open("rb") as file:
        read = tomllib.load(file)
    return read["single"], read["compound"], list(read["spelled"])


def draw(count, seed):
    source = Sentences(seed)
    return [found for found in (source.sentence() for _ in range(count)) if found]
