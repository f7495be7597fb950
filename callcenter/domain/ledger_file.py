"""The monthly ledger as a file that shows when it was changed: every line carries the hash of all before it.

One JSON object a line: a head, a call a line, and an end with the month's figures. `hash` is the SHA-256 of the line
before's hash and of this line's own content in canonical form (keys sorted, no spaces, UTF-8). Who changes, removes,
adds or reorders a line breaks the chain there. Somebody who writes the whole file anew makes a sound chain with another
last hash: that one is kept elsewhere, and compared.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.domain.figures import Cell, Groups, cell_of_call
from callcenter.domain.figures_table import figures_row
from callcenter.domain.moments import Span
from callcenter.domain.rings import Disposition, Verdict

FORMAT = "callcenter answering ledger 2"
FIRST = ""


class BrokenLedger(Exception):
    """Line `line` (from 1) is the first that does not stand as it was written."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line
        self.why = why


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A ledger as it was written: its month, how many calls it holds, and the hash that stands for all of it."""

    month: str
    calls: int
    last_hash: str


def canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def line_hash(before: str, content: Mapping[str, Any]) -> str:
    return hashlib.sha256((before + canonical(content)).encode()).hexdigest()


class Chain:
    """Writes lines, each with its hash."""

    def __init__(self) -> None:
        self.last_hash = FIRST

    def line(self, content: Mapping[str, Any]) -> str:
        self.last_hash = line_hash(self.last_hash, content)
        return canonical({**content, "hash": self.last_hash})


def verify(lines: Iterable[str]) -> Verified:
    """Checks the chain, that the file is whole, and that its figures follow from its calls. Raises BrokenLedger."""
    checked = _checked(lines)
    number, head = next(checked, (1, None))
    if head is None or head.get("ledger") != FORMAT:
        raise BrokenLedger(1, f"this is not the head of a ledger ({FORMAT})")
    groups = Groups()
    for number, content in checked:
        if "end" in content:
            calls = number - 2
            _check_end(number, content, calls, groups)
            more = next(checked, None)
            if more is not None:
                raise BrokenLedger(more[0], "there is a line after the end")
            return Verified(month=str(head["month"]), calls=calls, last_hash=content["hash"])
        try:
            groups.add(cell_of_entry(content, in_time_ms=int(head["in_time_ms"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenLedger(number, "this is not a call") from error
    raise BrokenLedger(number + 1, "the end is missing: lines were cut off")


def _checked(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    before = FIRST
    for number, line in enumerate(lines, 1):
        try:
            content = json.loads(line)
        except ValueError as error:
            raise BrokenLedger(number, "this is not JSON") from error
        if not isinstance(content, dict):
            raise BrokenLedger(number, "this is not an object")
        own = {name: value for name, value in content.items() if name != "hash"}
        before = line_hash(before, own)
        if content.get("hash") != before or line.rstrip("\n") != canonical(content):
            raise BrokenLedger(number, "its content does not belong to its hash and the lines before it")
        yield number, content


def _check_end(number: int, content: Mapping[str, Any], calls: int, groups: Groups) -> None:
    if content["end"] != calls:
        raise BrokenLedger(number, f"{content['end']} calls are announced, {calls} are there")
    if content.get("figures") != figures_row(groups.figures()):
        raise BrokenLedger(number, "the figures do not follow from the calls")


def cell_of_entry(entry: Mapping[str, Any], *, in_time_ms: int) -> Cell:
    """A call's line as the figures count it. Raises KeyError, TypeError or ValueError where it is no call."""
    verdict = entry["verdict"]
    return cell_of_call(
        Disposition(entry["disposition"]),
        Verdict(verdict) if verdict else None,
        _span(entry["answer_speed_ms"]),
        _span(entry["talk_ms"]),
        in_time_ms=in_time_ms,
        hold=_span(entry["hold_ms"]),
        wrap_up=_span(entry["wrap_up_ms"]),
        transferred=entry["transferred"],
    )


def _span(ends: list[int] | None) -> Span | None:
    return Span(low_ms=int(ends[0]), high_ms=int(ends[1])) if ends is not None else None
