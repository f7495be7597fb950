"""How well a labelled set is understood: precision and recall a slot, confusion, invented values, calibration."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from callcenter.domain.tickets import TicketDraft
from callcenter.domain.understanding.draft import draft_to_json, split
from callcenter.domain.understanding.labels import PLACE, SLOTS, Labelled

CONFUSED = ("type", "urgency", "category")
NOTHING = "-"
BINS = 5


@dataclass(kw_only=True)
class SlotScore:
    """`invented`: asserted where the label says that nothing was said."""

    right: int = 0
    wrong: int = 0
    missing: int = 0
    invented: int = 0
    rightly_empty: int = 0

    @property
    def precision(self) -> float | None:
        said = self.right + self.wrong + self.invented
        return self.right / said if said else None

    @property
    def recall(self) -> float | None:
        wanted = self.right + self.wrong + self.missing
        return self.right / wanted if wanted else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    line: int
    slot: str
    expected: Any
    got: Any
    text: str


@dataclass(kw_only=True)
class Evaluation:
    """`calibration` holds (confidence, was right) of every value that could be judged, asserted or not, by slot."""

    rows: int = 0
    scores: dict[str, SlotScore] = field(default_factory=dict)
    confusion: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    calibration: dict[str, list[tuple[float, bool]]] = field(default_factory=lambda: defaultdict(list))
    unsaid: int = 0
    misses: list[Miss] = field(default_factory=list)

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error: mean distance of confidence and share right, weighted by the bins' sizes."""
        bins = self.bins()
        count = sum(rows for _, _, _, rows in bins)
        if not count:
            return None
        return sum(abs(confidence - share) * rows for _, confidence, share, rows in bins) / count

    def bins(self) -> list[tuple[float, float, float, int]]:
        """(lower edge, mean confidence, share right, values)."""
        found: dict[int, list[tuple[float, bool]]] = defaultdict(list)
        for confidence, right in (pair for pairs in self.calibration.values() for pair in pairs):
            found[min(int(confidence * BINS), BINS - 1)].append((confidence, right))
        return [
            (at / BINS, sum(c for c, _ in pairs) / len(pairs), sum(r for _, r in pairs) / len(pairs), len(pairs))
            for at, pairs in sorted(found.items())
        ]

    def reliability(self) -> list[tuple[str, float, float, int]]:
        """(slot, mean confidence, share right, values)."""
        return [
            (slot, sum(c for c, _ in pairs) / len(pairs), sum(r for _, r in pairs) / len(pairs), len(pairs))
            for slot in SLOTS
            if (pairs := self.calibration.get(slot))
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "slots": {
                slot: {"precision": score.precision, "recall": score.recall, **vars(score)}
                for slot, score in self.scores.items()
            },
            "confusion": {
                slot: [{"expected": pair[0], "got": pair[1], "rows": rows} for pair, rows in sorted(table.items())]
                for slot, table in self.confusion.items()
            },
            "invented": sum(score.invented for score in self.scores.values()),
            "unsaid_figures": self.unsaid,
            "calibration_error": self.calibration_error,
            "calibration": [
                {"from": lower, "confidence": mean, "right": right, "values": count}
                for lower, mean, right, count in self.bins()
            ],
            "reliability": {
                slot: {"confidence": mean, "right": right, "values": count}
                for slot, mean, right, count in self.reliability()
            },
        }


def evaluate(rows: Iterable[Labelled], understand: Callable[[Labelled], TicketDraft]) -> Evaluation:
    result = Evaluation()
    for row in rows:
        draft = understand(row)
        said = draft_to_json(draft)
        result.rows += 1
        result.unsaid += _unsaid_figures(said)
        for slot, expected in row.expect.items():
            got = _said(said, slot, expected)
            _count(result, row, slot, expected, got)
            _calibrate(result, draft, slot, expected)
    result.scores = {slot: result.scores[slot] for slot in SLOTS if slot in result.scores}
    return result


def _count(result: Evaluation, row: Labelled, slot: str, expected: Any, got: Any) -> None:
    score = result.scores.setdefault(slot, SlotScore())
    if slot in CONFUSED:
        result.confusion[slot][expected or NOTHING, got or NOTHING] += 1
    if got == expected:
        score.right += expected is not None
        score.rightly_empty += expected is None
        return
    if expected is None:
        score.invented += 1
    elif got is None:
        score.missing += 1
    else:
        score.wrong += 1
    result.misses.append(Miss(line=row.line, slot=slot, expected=expected, got=got, text=row.text))


def _said(said: Mapping[str, Any], slot: str, expected: Any) -> Any:
    """What the draft asserts of a slot; of several categories the one that was expected, if it is among them."""
    if slot in PLACE:
        return said["place"][slot]
    if slot in ("from", "to"):
        return said["wanted"][slot]
    if slot == "promise":
        return next((promise["kind"] for promise in said["promises"]), None)
    if slot == "due":
        return next((promise["due"] for promise in said["promises"] if promise["due"]), None)
    if slot == "category":
        return expected if expected in said["categories"] else next(iter(said["categories"]), None)
    return said[slot]


def _calibrate(result: Evaluation, draft: TicketDraft, slot: str, expected: Any) -> None:
    """Values of every confidence, also those that are not asserted."""
    name = {"type": "request_type"}.get(slot, "place" if slot in PLACE else slot)
    found = {**split(draft, threshold=0.0).sure, "category": next(iter(draft.categories), None)}.get(name)
    if found is None:
        return
    value = getattr(found.value, slot) if slot in PLACE else found.value
    if value is None:
        return
    right = expected in {one.value for one in draft.categories} if slot == "category" else value == expected
    result.calibration[slot].append((found.confidence, right))


def _unsaid_figures(said: Mapping[str, Any]) -> int:
    """Figures of the place and the phone that do not stand in the text as written: these were made up."""
    written = said["written"].upper()
    digits = "".join(letter for letter in written if letter.isdigit())
    values = [said["place"][slot] for slot in ("lane", "building", "unit", "room")]
    missing = sum(value is not None and value not in written and value not in digits for value in values)
    phone = "".join(letter for letter in said["phone"] or "" if letter.isdigit())
    return missing + (bool(phone) and phone[-7:] not in digits)
