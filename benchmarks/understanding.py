"""How well and how fast calls are understood: the project's own labelled set, and outside yardsticks where present.

    python benchmarks/understanding.py [--misses] [--quick]

The yardsticks (../shared/yardsticks beside the project) are other people's data: measured, never committed. The last
line is the verdict: exit code 0 only where every measure that could be taken holds. The comparison uses jionlp where
it is installed (`pip install jionlp`); it is no requirement of the project. `--quick` leaves out the danger sets and
the long text.
"""

import argparse
import csv
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from callcenter.domain.transcript import Side
from callcenter.domain.understanding import CallContext, EstateRegister, draft_to_json, understand, understand_text
from callcenter.domain.understanding.labels import read_labels
from callcenter.domain.understanding.numbers import written
from callcenter.domain.understanding.place_mentions import mentions_in
from callcenter.domain.understanding.text import line_of

PROJECT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(PROJECT))
from benchmarks.confusable_register import confusable_register  # noqa: E402
from benchmarks.understanding_plain import HAS_JIONLP, Plain  # noqa: E402

OWN = PROJECT / "tests" / "understanding" / "utterances.jsonl"
SPOKEN = tuple(OWN.with_name(name) for name in ("spoken.jsonl", "rooms_spoken.jsonl"))
LABELLED = (OWN, OWN.with_name("rooms.jsonl"))
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

    @property
    def share(self) -> float:
        return self.right / max(self.rows, 1)

    def shown(self) -> str:
        return f"  {self.name:34s} {self.right}/{self.rows} = {self.share:.3f}"


@dataclass(frozen=True)
class Figure:
    """One number, for example milliseconds."""

    name: str
    value: float
    misses: tuple[str, ...] = ()

    def shown(self) -> str:
        return f"  {self.name:34s} {self.value:.1f}"


Measure = Score | Share | Figure


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


def spoken() -> list[Measure]:
    """What the demo model heard of the own sets over a telephone line, and the same rows as they are written.

    Both with the register of `confusable_register.py`, as a hotline has one.
    """
    scores: dict[str, Measure] = {}
    register = confusable_register(row.expect for path in LABELLED for row in read_labels(path.read_text("utf-8")))
    context = replace(CONTEXT, register=register)
    for row in (row for path in SPOKEN for row in read_labels(path.read_text("utf-8"))):
        assert row.transcript is not None
        heard = draft_to_json(understand(row.transcript, context=context))
        for how, got in (("heard", heard), ("written", _understood(row.text, register))):
            for slot, expected in row.expect.items():
                score = scores.setdefault(f"{how}: {slot}", Score(f"{how}: {slot}"))
                assert isinstance(score, Score)
                found = expected if slot == "category" and expected in got["categories"] else None
                score.count(expected, found if slot == "category" else _slot(got, slot), row.text)
    return list(scores.values())


def plain_expressions() -> list[Measure]:
    """The same own set, every slot by what one would write in an hour."""
    plain, scores = Plain(HEARD_AT), dict[str, Score]()
    for row in _json_lines(OWN):
        found = plain(row["text"])
        for slot, expected in row["expect"].items():
            scores.setdefault(slot, Score(f"plain: {slot}")).count(expected, found.get(slot), row["text"])
    return list(scores.values())


def danger(path: Path) -> list[Measure]:
    """Emergencies against everything else."""
    score = Score(f"emergency ({path.name})")
    for row in _json_lines(path):
        got = _understood(row["text"])["urgency"]
        score.count(*(one if one == "emergency" else None for one in (row["expect"]["urgency"], got)), row["text"])
    return [score]


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


def cost(*, times: int) -> list[Measure]:
    """A minute of call is about 240 characters in some ten turns. CPU time, so that other programs do not count."""
    texts = [row["text"] for row in _json_lines(OWN)]
    call = ("\n".join(f"{'客服' if at % 2 else '住户'}：{text}" for at, text in enumerate(texts)))[:240]
    understand_text(call, context=CONTEXT)
    taken = []
    for _ in range(times):
        began = time.process_time()
        understand_text(call, context=CONTEXT)
        taken.append((time.process_time() - began) * 1000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("ms a minute of call, median", statistics.median(taken)),
        Figure("ms a minute of call, worst", max(taken)),
        Figure("megabytes at most", memory),
    ]


def long_text() -> list[Measure]:
    """CPU seconds for 100,000 characters of a report said over and over."""
    began = time.process_time()
    understand_text("三栋二单元五零一厨房漏水，" * 7_700, context=CONTEXT)
    return [Figure("CPU seconds, 100,000 characters", time.process_time() - began)]


Taken = dict[tuple[str, str], Measure]
OWN_TITLE, PLAIN_TITLE, SPOKEN_TITLE = "own set", "own set, plain regular expressions", "own set, spoken"
CASES, ROOMS, MESSAGES = "voice_repair_cases.jsonl", "room_mentions.tsv", "resident_messages_gold.tsv"
NUMBERS, COST = "spoken_numbers/in_scope.tsv", "cost"


def gates(taken: Taken) -> Iterator[tuple[str, bool, str]]:
    """What the project holds itself to: name, whether it holds, figures. What could not be measured is left out."""
    for title, name in ((CASES, "building and room"), (ROOMS, "rooms mentioned"), (OWN_TITLE, "room")):
        if score := taken.get((title, name)):
            assert isinstance(score, Score)
            held = score.precision >= 0.99 and score.recall >= 0.95
            yield f"rooms, {title}", held, f"precision {score.precision:.3f} >= 0.99, recall {score.recall:.3f} >= 0.95"
    for title in (CASES, OWN_TITLE):
        if score := taken.get((title, "phone")):
            assert isinstance(score, Score)
            held = score.recall >= 0.99 and not score.wrong
            yield f"phones, {title}", held, f"exact {score.recall:.3f} >= 0.99, wrong {score.wrong} = 0"
    for title, name in ((CASES, "urgent"), (OWN_TITLE, "urgency")):
        if score := taken.get((title, name)):
            assert isinstance(score, Score)
            yield f"urgency, {title}", score.f1 >= 0.95, f"F1 {score.f1:.3f} >= 0.95"
    shares = (
        (MESSAGES, "first category accepted", 0.9),
        (OWN_TITLE, "category", 0.9),
        (NUMBERS, "written as expected", 0.97),
    )
    for title, name, wanted in shares:
        if share := taken.get((title, name)):
            assert isinstance(share, Share)
            yield f"{name}, {title}", share.share >= wanted, f"{share.share:.3f} >= {wanted}"
    yield from _ahead(taken)
    yield from _after_recognition(taken)
    for name, limit in (("ms a minute of call, median", 50.0), ("megabytes at most", 300.0)):
        figure = taken[COST, name]
        assert isinstance(figure, Figure)
        yield name, figure.value <= limit, f"{figure.value:.1f} <= {limit:.0f}"


def _ahead(taken: Taken) -> Iterator[tuple[str, bool, str]]:
    """Ahead of the plain way on every slot; where ours makes no mistake, nothing can be ahead of it."""
    for (title, name), other in taken.items():
        if title == PLAIN_TITLE and isinstance(other, Score):
            slot = name.removeprefix("plain: ")
            ours = _f1(taken[OWN_TITLE, slot])
            yield f"ahead on {slot}", ours > other.f1 or ours == 1.0, f"{ours:.3f} against {other.f1:.3f}"


def _after_recognition(taken: Taken) -> Iterator[tuple[str, bool, str]]:
    for slot, within in (("room", 0.02), ("phone", 0.05)):
        heard, written = taken[SPOKEN_TITLE, f"heard: {slot}"], taken[SPOKEN_TITLE, f"written: {slot}"]
        assert isinstance(heard, Score)
        assert isinstance(written, Score)
        figures = f"F1 {heard.f1:.3f} >= {written.f1:.3f} - {within}"
        yield f"{slot} after recognition", heard.f1 >= written.f1 - within, figures
        yield f"no wrong {slot} after recognition", not heard.wrong, f"wrong {heard.wrong} = 0"


def _f1(measure: Measure) -> float:
    if isinstance(measure, Share):
        return measure.share
    return measure.f1 if isinstance(measure, Score) else 0.0


def _verdict(taken: Taken, *, known: Sequence[str]) -> int:
    """`known` measures that are not met yet are named in the verdict and do not decide the exit code."""
    print("measures")
    missed = []
    for name, held, figures in gates(taken):
        print(f"  {'holds ' if held else 'MISSED'} {name:42s} {figures}")
        missed += [] if held else [name]
    left_out = "" if YARDSTICKS.is_dir() else "; the yardsticks are not here and were not measured"
    if missed:
        new = [name for name in missed if name not in known]
        print(f"VERDICT: not met: {', '.join(missed)}{left_out}{'' if new else '; known, every other measure holds'}")
        return 1 if new else 0
    print(f"VERDICT: every measure holds{left_out}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", action="store_true", help="show every row that is not right")
    parser.add_argument("--quick", action="store_true", help="without the danger sets and the long text")
    parser.add_argument(
        "--known-miss", action="append", default=[], metavar="MEASURE", help="not met yet: others decide"
    )
    arguments = parser.parse_args()
    sections: list[tuple[str, Callable[[], list[Measure]]]] = [(OWN_TITLE, own_set), (SPOKEN_TITLE, spoken)]
    if not arguments.quick:
        sections.append(("danger in wordings of its own", lambda: [one for path in DANGER for one in danger(path)]))
    if YARDSTICKS.is_dir():
        sections += [
            (CASES, voice_repair_cases),
            (ROOMS, room_mentions),
            (MESSAGES, resident_messages),
            (NUMBERS, spoken_numbers),
        ]
    sections.append((COST, lambda: cost(times=10 if arguments.quick else 50)))
    if not arguments.quick:
        sections.append(("a long text", long_text))
    sections.append((PLAIN_TITLE, plain_expressions))  # last: jionlp's memory is not ours
    taken: Taken = {}
    for title, measure in sections:
        print(title + ("" if title != PLAIN_TITLE else " and jionlp" if HAS_JIONLP else " (jionlp is not installed)"))
        for score in measure():
            taken[title, score.name] = score
            print(score.shown())
            if arguments.misses:
                print(*(f"      {miss}" for miss in score.misses), sep="\n")
    return _verdict(taken, known=arguments.known_miss)


if __name__ == "__main__":
    sys.exit(main())
