"""How well the checks find what a person marked: labelled sets, and precision and recall over their findings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callcenter.domain.service_language.checking import check_language
from callcenter.domain.service_language.findings import CheckContext, Finding
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding.draft import transcript_of_text
from callcenter.domain.understanding.labels import LabelError, transcript_from

CLOSE_MS = 400
"""A finding may begin so much before or after the turn that was labelled."""
WHOLE_CALL = ("closing", "name_used", "repeated_back")
OF_LABEL = {"closing": "farewell"}
OPENING = ("greeting", "company", "surname", "help")


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelledCall:
    """What was said, or heard, and what is to be found: (check, number of the turn from 1, or 0: of the whole call).

    `checks` are those that the row judges; None in `turns`: typed text, a line a turn.
    """

    line: int
    transcript: Transcript
    is_never: frozenset[int]
    kinds: Mapping[int, str]
    expected: frozenset[tuple[str, int]]
    checks: frozenset[str]
    turns: tuple[tuple[str, int, int], ...] | None = None


def read_language_labels(text: str) -> tuple[LabelledCall, ...]:
    """One JSON object a line: {"text": ..., "expect": {...}}, and "segments" with "turns" where a recogniser heard it.

    Raises LabelError, which names the line.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise LabelError("the set has no rows")
    return tuple(_labelled(number, line) for number, line in lines)


def _labelled(number: int, line: str) -> LabelledCall:
    try:
        row = json.loads(line)
        expect = row["expect"]
        never = {int(turn): str(kind) for turn, kind in expect.get("never", [])}
        expected, checks = _expected(expect)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f'line {number}: needs {{"text": "...", "expect": {{"never": [[line, kind], ...], ...}}}}: {error!r}'
        raise LabelError(problem) from error
    heard = transcript_from(number, row["segments"]) if "segments" in row else None
    return LabelledCall(
        line=number,
        transcript=heard or transcript_of_text(row["text"]),
        is_never=frozenset(never),
        kinds=never,
        expected=frozenset(expected),
        checks=frozenset(checks),
        turns=tuple((one[0], one[1], one[2]) for one in row["turns"]) if heard and "turns" in row else None,
    )


def _expected(expect: Mapping[str, Any]) -> tuple[set[tuple[str, int]], set[str]]:
    expected: set[tuple[str, int]] = set()
    checks: set[str] = set()
    said = {**expect.get("opening", {}), **{OF_LABEL.get(key, key): expect.get(key) for key in WHOLE_CALL}}
    for check, value in said.items():
        if value is not None:
            checks.add(check)
            expected |= set() if value else {(check, 0)}
    if "promises" in expect:
        checks.add("promise")
        expected |= {("promise", int(turn)) for turn, how in expect["promises"] if how == "untimed"}
    return expected, checks


@dataclass(kw_only=True)
class Tally:
    """Findings of one check against the labels."""

    right: int = 0
    wrong: int = 0
    missing: int = 0
    misses: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missing) if self.right + self.missing else 1.0

    def add(self, other: "Tally") -> None:
        self.right += other.right
        self.wrong += other.wrong
        self.missing += other.missing


@dataclass(kw_only=True)
class LanguageEvaluation:
    """`never` counts forbidden wordings by turn, whatever their kind; `kind_right` how many have the labelled kind."""

    never: Tally = field(default_factory=Tally)
    kind_right: int = 0
    checks: dict[str, Tally] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        whole = Tally()
        for one in (self.never, *self.checks.values()):
            whole.add(one)
        return whole


def evaluate_language(
    calls: Sequence[LabelledCall], *, rules: LanguageRules, context: CheckContext
) -> LanguageEvaluation:
    found = LanguageEvaluation()
    never = {wording.key for wording in rules.never}
    for call in calls:
        checked = check_language(call.transcript, rules=rules, context=context)
        findings = checked.findings if checked else ()
        _count_never(found, call, [one for one in findings if one.check in never])
        _count_others(found, call, [one for one in findings if one.check in call.checks])
    return found


def _count_never(found: LanguageEvaluation, call: LabelledCall, findings: Sequence[Finding]) -> None:
    left = set(call.is_never)
    for one in findings:
        turn = next((turn for turn in _turns_of(call, one) if turn in call.is_never), None)
        if turn is None:
            found.never.wrong += 1
            found.never.misses.append(f"{call.line}: {one.check} {one.words!r} is none")
        elif turn in left:
            left.discard(turn)
            found.never.right += 1
            found.kind_right += call.kinds[turn] == one.check
    for turn in sorted(left):
        found.never.missing += 1
        found.never.misses.append(f"{call.line}: {call.kinds[turn]} in turn {turn} not found: {_words(call, turn)}")


def _count_others(found: LanguageEvaluation, call: LabelledCall, findings: Sequence[Finding]) -> None:
    left = set(call.expected)
    for one in findings:
        tally = found.checks.setdefault(one.check, Tally())
        matched = next((key for key in _keys(call, one) if key in call.expected), None)
        if matched is None:
            tally.wrong += 1
            tally.misses.append(f"{call.line}: {one.check} {one.words[:40]!r} is none")
        elif matched in left:
            left.discard(matched)
            tally.right += 1
    for check, turn in sorted(left):
        tally = found.checks.setdefault(check, Tally())
        tally.missing += 1
        tally.misses.append(f"{call.line}: {check} not found{f': {_words(call, turn)}' if turn else ''}")


def _keys(call: LabelledCall, one: Finding) -> Iterator[tuple[str, int]]:
    yield one.check, 0
    yield from ((one.check, turn) for turn in _turns_of(call, one))


def _turns_of(call: LabelledCall, one: Finding) -> Iterator[int]:
    if call.turns is None:
        yield one.line + 1
        return
    for number, (side, start, end) in enumerate(call.turns, 1):
        if side == "agent" and start - CLOSE_MS <= one.start_ms <= end + CLOSE_MS:
            yield number


def _words(call: LabelledCall, turn: int) -> str:
    if call.turns is None:
        return call.transcript.segments[turn - 1].text
    side, start, end = call.turns[turn - 1]
    return " ".join(
        one.text for one in call.transcript.segments if one.side == side and start - CLOSE_MS <= one.start_ms <= end
    )
