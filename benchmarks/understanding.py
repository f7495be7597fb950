"""How well and how fast calls are understood: the project's own labelled set, and outside yardsticks where present.

    python benchmarks/understanding.py [--misses]

The yardsticks (../shared/yardsticks beside the project) are other people's data: measured, never committed.
"""

import argparse
import csv
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import cn2an

from callcenter.domain.transcript import Side
from callcenter.domain.understanding import CallContext, EstateRegister, draft_to_json, understand_text
from callcenter.domain.understanding.numbers import written
from callcenter.domain.understanding.place_mentions import mentions_in
from callcenter.domain.understanding.text import line_of

PROJECT = Path(__file__).resolve().parent.parent
OWN = PROJECT / "tests" / "understanding" / "utterances.jsonl"
DANGER = tuple(sorted((PROJECT / "tests" / "understanding").glob("danger_*.jsonl")))
YARDSTICKS = PROJECT.parent / "shared" / "yardsticks"
HEARD_AT = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
CONTEXT = CallContext(heard_at=HEARD_AT, area_code="021")


@dataclass
class Score:
    """Counts of one measure; `misses` are shown on request."""

    name: str
    right: int = 0
    wrong: int = 0
    missing: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, expected: Any, got: Any, what: str) -> None:
        """`expected` None: nothing should be asserted."""
        if got == expected:
            self.right += expected is not None
            return
        self.misses.append(f"{what}: expected {expected!r}, got {got!r}")
        self.wrong += got is not None
        self.missing += expected is not None

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missing) if self.right + self.missing else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def shown(self) -> str:
        counts = f"right {self.right:3d}  wrong {self.wrong:2d}  missing {self.missing:2d}"
        return (
            f"  {self.name:34s} precision {self.precision:.3f}  recall {self.recall:.3f}  F1 {self.f1:.3f}  ({counts})"
        )


@dataclass
class Share:
    """A share of rows that are right."""

    name: str
    right: int = 0
    rows: int = 0
    misses: list[str] = field(default_factory=list)

    def count(self, is_right: bool, what: str) -> None:
        self.rows += 1
        self.right += is_right
        if not is_right:
            self.misses.append(what)

    def shown(self) -> str:
        return f"  {self.name:34s} {self.right}/{self.rows} = {self.right / max(self.rows, 1):.3f}"


Measure = Score | Share


def _understood(text: str, register: EstateRegister | None = None) -> dict[str, Any]:
    context = CallContext(heard_at=HEARD_AT, area_code="021", register=register)
    return draft_to_json(understand_text(text, context=context))


def own_set() -> list[Measure]:
    scores: dict[str, Measure] = {}
    for row in _json_lines(OWN):
        got = _understood(row["text"])
        for slot, expected in row["expect"].items():
            if slot == "category":
                share = scores.setdefault("category", Share("category"))
                assert isinstance(share, Share)
                share.count(expected in got["categories"], f"{row['text']}: {expected} not in {got['categories']}")
                continue
            score = scores.setdefault(slot, Score(slot))
            assert isinstance(score, Score)
            score.count(expected, _slot(got, slot), row["text"])
    return list(scores.values())


def danger(path: Path) -> list[Measure]:
    """Emergencies against everything else."""
    score = Score(f"emergency ({path.name})")
    for row in _json_lines(path):
        got = _understood(row["text"])["urgency"]
        score.count(*(one if one == "emergency" else None for one in (row["expect"]["urgency"], got)), row["text"])
    return [score]


_PLAIN = {
    "building": re.compile(r"(\d+|[A-Z])(?:栋|幢|号楼|座)"),
    "unit": re.compile(r"(\d+)单元"),
    "room": re.compile(r"(?<!\d)(\d{3,4})(?!\d)"),
    "phone": re.compile(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)"),
    "contact": re.compile(r"([一-龥](?:女士|先生|小姐|阿姨|老师))"),
    "lane": re.compile(r"(\d+)弄"),
    "floor": re.compile(r"(\d+)楼"),
}
_PLAIN_URGENCY = (
    ("emergency", re.compile("困|煤气味|燃气味|漏气|着火|冒烟|爆管|漏电|受伤|触电|起火")),
    ("urgent", re.compile("停电|停水|没电|没水|跳闸|淹|锁在|急")),
)
_PLAIN_TYPE = (
    ("complaint", "投诉"),
    ("praise", "表扬|感谢"),
    ("suggestion", "建议"),
    ("enquiry", "请问|咨询|怎么|多少"),
)


def plain_expressions() -> list[Measure]:
    """What one would write in an hour: number words by cn2an, then one regular expression a slot; the same own set."""
    scores: dict[str, Score] = {}
    for row in _json_lines(OWN):
        text = _by_cn2an(row["text"])
        for slot, expected in row["expect"].items():
            if slot in _PLAIN or slot in ("urgency", "type"):
                scores.setdefault(slot, Score(f"plain: {slot}")).count(expected, _plain(text, slot), row["text"])
    return list(scores.values())


def _by_cn2an(text: str) -> str:
    spoken = re.compile("[零〇一二三四五六七八九幺]{3,}|[一二三四五六七八九十百]+(?=栋|幢|号|单元|楼|弄)")
    digits = str.maketrans("零〇一二三四五六七八九幺", "001234567891")

    def figures(match: re.Match[str]) -> str:
        word = match.group()
        return word.translate(digits) if "十" not in word and "百" not in word else str(cn2an.cn2an(word, "smart"))

    return spoken.sub(figures, text)


def _plain(text: str, slot: str) -> str | None:
    if slot == "urgency":
        return next((urgency for urgency, words in _PLAIN_URGENCY if words.search(text)), "normal")
    if slot == "type":
        return next((kind for kind, words in _PLAIN_TYPE if re.search(words, text)), "repair")
    match = _PLAIN[slot].search(text)
    return match[1] if match else None


def _slot(got: dict[str, Any], slot: str) -> Any:
    if slot in got["place"]:
        return got["place"][slot]
    if slot in ("from", "to"):
        return (got["wanted"] or {}).get(slot)
    if slot == "promise":
        return next((promise["kind"] for promise in got["promises"]), None)
    if slot == "due":
        return next((promise["due"] for promise in got["promises"] if promise["due"]), None)
    return got[slot]


def _json_lines(path: Path) -> Iterable[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())


def _tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def voice_repair_cases() -> list[Measure]:
    place = Score("building and room")
    parts = Score("estate, phase, lane")
    phones, contacts, urgency = Score("phone"), Score("contact"), Score("urgent")
    shared = Score("shared or home")
    register = _glued_register()
    for row in _json_lines(YARDSTICKS / "voice_repair_cases.jsonl"):
        expected = row["expected"]
        if row["kind"] in ("completion_note", "type"):
            continue
        text = "\n".join(row["text"]) if isinstance(row["text"], list) else row["text"]
        got = _understood(text, register if row["kind"] == "address_glued_asr" else None)
        _count_place(place, parts, expected, got["place"], row["id"], text)
        for score, slot in ((phones, "phone"), (contacts, "contact")):
            if slot in expected:
                score.count(expected[slot], got[slot], f"{row['id']} {text}")
        if "urgent" in expected:
            urgent = True if got["urgency"] in ("urgent", "emergency") else None
            urgency.count(expected["urgent"] or None, urgent, f"{row['id']} {text}")
        if "public_area" in expected:
            wanted = {True: "shared", False: "home", None: None}[expected["public_area"]]
            shared.count(wanted, got["responsibility"], f"{row['id']} {text}")
    return [place, parts, phones, contacts, urgency, shared]


def _count_place(
    place: Score, parts: Score, expected: dict[str, Any], got: dict[str, Any], row: str, text: str
) -> None:
    if "final" in expected:
        final = _understood(expected["final"])["place"]
        expected = {slot: final[slot] for slot in ("phase", "lane", "building", "room")}
    if expected.get("matched") is False:
        expected = {"lane": None, "building": None}
    for slot in ("building", "room"):
        if slot in expected:
            place.count(expected[slot], got[slot], f"{row} {slot} {text}")
    for slot in ("estate", "phase", "lane"):
        if slot in expected:
            parts.count(expected[slot], got[slot], f"{row} {slot} {text}")


def _glued_register() -> EstateRegister:
    lanes = {"198": ("4", "14", "24"), "228": ("12", "25"), "5511": ("228", "236")}
    return EstateRegister.from_rows(
        {"lane": lane, "building": building} for lane, buildings in lanes.items() for building in buildings
    )


_FIGURES = dict(zip("一二三四五六七八九", "123456789", strict=True))


def _figures(text: str) -> str:
    return "".join(_FIGURES.get(letter, letter) for letter in text).upper()


def room_mentions() -> list[Measure]:
    """Each row's room among the sentence's mentions; and the draft's own place against the rows of its sentence."""
    mention, drafted = Score("rooms mentioned"), Score("room of the draft")
    rows = _tsv(YARDSTICKS / "room_mentions.tsv")
    for row in rows:
        line = line_of(row["sentence"], side=Side.RESIDENT)
        heard = {
            (one.get("building"), one.get("unit"), one.get("room")) for one in mentions_in(line) if one.get("room")
        }
        wanted = (_figures(row["building"]), _figures(row["unit"]) or None, row["room"])
        place = _understood(row["sentence"])["place"]
        own = (place["building"], place["unit"], place["room"]) if place["room"] else None
        if row["kind"] == "pos":
            mention.count(wanted, wanted if wanted in heard else None, row["sentence"][:70])
            accepted = own if own in heard and own is not None else wanted
            drafted.count(accepted, own, row["sentence"][:70])
        else:
            trap = re.sub(r".*[栋幢座元]", "", row["span"])
            fell = next((one for one in heard if one[2] == re.sub(r"\D", "", trap)), None)
            mention.count(None, fell, row["sentence"][:70])
    return [mention, drafted]


_TOPICS = {
    "plumbing": "漏水 下水堵塞 停水 水压 供水管道 供水水质 地下室积水 外墙渗水",
    "power": "停电 路灯 水电计量 电费 充电 照明光污染",
    "lift": "电梯",
    "access": "门禁 门禁安保",
    "security": "门禁 门禁安保 安保 治安 违建 违规装修 住改商 群租 占道经营",
    "fire": "消防",
    "gas": "燃气 燃气缴费",
    "fees": "燃气缴费 物业费 收费",
    "structure": "外墙渗水 外墙脱落 房屋质量裂缝",
    "odour": "油烟",
    "greening": "绿化",
    "parking": "停车 停车费 停车罚款 车位产权",
    "noise": "噪音",
    "renovation": "违建 违规装修 住改商 群租 占道经营",
    "public_facility": "公共设施",
}
_NATURES = {"报修": "repair", "投诉": "complaint", "举报": "complaint", "咨询": "enquiry", "建议": "suggestion"}


def resident_messages() -> list[Measure]:
    first, listed, nature = Share("first category accepted"), Share("some category accepted"), Share("request type")
    for row in _tsv(YARDSTICKS / "resident_messages_gold.tsv"):
        topics = {topic for topic in row["topics(;)"].split(";") if topic}
        accepted = {key for key, names in _TOPICS.items() if topics & set(names.split())}
        got = _understood(f"{row['title']}。{row['text']}")
        if accepted:
            what = f"{row['title']}: {sorted(accepted)}, got {got['categories']}"
            first.count(got["categories"][:1] != [] and got["categories"][0] in accepted, what)
            listed.count(bool(accepted & set(got["categories"])), what)
        if row["nature"] in _NATURES:
            nature.count(got["type"] == _NATURES[row["nature"]], f"{row['title']}: {row['nature']}, got {got['type']}")
    return [first, listed, nature]


def spoken_numbers() -> list[Measure]:
    share = Share("written as expected")
    for row in _tsv(YARDSTICKS / "spoken_numbers" / "in_scope.tsv"):
        got = written(row["spoken"])
        share.count(got == row["written"], f"{row['spoken']}: {row['written']}, got {got}")
    return [share]


def seconds_a_minute() -> str:
    """A minute of call is about 240 characters in some ten turns."""
    texts = [row["text"] for row in _json_lines(OWN)]
    call = ("\n".join(f"{'客服' if at % 2 else '住户'}：{text}" for at, text in enumerate(texts)))[:240]
    understand_text(call, context=CONTEXT)
    taken = []
    for _ in range(50):
        began = time.perf_counter()
        understand_text(call, context=CONTEXT)
        taken.append((time.perf_counter() - began) * 1000)
    return f"  {'milliseconds a minute of call':34s} median {statistics.median(taken):.1f}, worst {max(taken):.1f}"


def long_text() -> str:
    """CPU seconds for 100,000 characters of a report said over and over."""
    began = time.process_time()
    understand_text("三栋二单元五零一厨房漏水，" * 7_700, context=CONTEXT)
    return f"  100,000 characters: {time.process_time() - began:.2f} s of CPU"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show every row that is not right")
    arguments = parser.parse_args()
    sections: list[tuple[str, Callable[[], list[Measure]]]] = [("own set", own_set)]
    sections.append(("own set, plain regular expressions in place of the rules", plain_expressions))
    sections.append(("danger in wordings of its own", lambda: [one for path in DANGER for one in danger(path)]))
    if YARDSTICKS.is_dir():
        sections += [
            ("voice_repair_cases.jsonl", voice_repair_cases),
            ("room_mentions.tsv", room_mentions),
            ("resident_messages_gold.tsv", resident_messages),
            ("spoken_numbers/in_scope.tsv", spoken_numbers),
        ]
    for title, measure in sections:
        print(title)
        for score in measure():
            print(score.shown())
            if arguments.misses:
                print(*(f"      {miss}" for miss in score.misses), sep="\n")
    print("speed", seconds_a_minute(), long_text(), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
