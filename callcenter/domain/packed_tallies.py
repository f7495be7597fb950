"""Tallies as they are kept: names and two rows of numbers, so that hundreds of days are added in a few milliseconds."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from callcenter.domain.tallies import AGAIN, AGENT_CONTACTS, ESTATE_CONTACTS, MATTERS, OPEN, Longest, Row, Tally

Numbers: TypeAlias = NDArray[np.int64]

COLUMN_TYPE, COUNT_TYPE = np.dtype("<i4"), np.dtype("<i8")
COLUMN_BITS = 32
OF_CONTACTS = (f"{ESTATE_CONTACTS} ", f"{AGENT_CONTACTS} ")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PackedTally:
    """The rows of a tally end to end: `lengths` are how many entries each name has of `columns` and `counts`."""

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    columns: Numbers
    counts: Numbers
    slowest: Mapping[str, int]
    longest: Longest | None

    @classmethod
    def of(cls, tally: Tally) -> Self:
        """The same counts are always packed alike."""
        rows = [(name, sorted(row.items())) for name, row in sorted(tally.rows.items()) if row]
        entries = [entry for _, row in rows for entry in row]
        return cls(
            names=tuple(name for name, _ in rows),
            lengths=tuple(len(row) for _, row in rows),
            columns=np.array([column for column, _ in entries], dtype=np.int64),
            counts=np.array([count for _, count in entries], dtype=np.int64),
            slowest=dict(sorted(tally.slowest.items())),
            longest=tally.longest,
        )

    def as_json(self) -> dict[str, Any]:
        longest = self.longest
        return {
            "names": list(self.names),
            "lengths": list(self.lengths),
            "columns": base64.b64encode(self.columns.astype(COLUMN_TYPE).tobytes()).decode(),
            "counts": base64.b64encode(self.counts.astype(COUNT_TYPE).tobytes()).decode(),
            "slowest": dict(self.slowest),
            "longest": [longest.wait_ms, longest.started_at.astimezone(UTC).isoformat(), longest.call_id]
            if longest
            else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        longest = None
        if kept["longest"]:
            wait_ms, started_at, call_id = kept["longest"]
            longest = Longest(wait_ms=wait_ms, started_at=datetime.fromisoformat(started_at), call_id=call_id)
        return cls(
            names=tuple(kept["names"]),
            lengths=tuple(kept["lengths"]),
            columns=np.frombuffer(base64.b64decode(kept["columns"]), COLUMN_TYPE).astype(np.int64),
            counts=np.frombuffer(base64.b64decode(kept["counts"]), COUNT_TYPE).astype(np.int64),
            slowest=kept["slowest"],
            longest=longest,
        )

    def opened(self) -> Self:
        """A settled day's, as it is while the days of first-contact resolution still run for all of its calls."""
        waiting: list[tuple[str, int]] = []
        begin = 0
        for name, length in zip(self.names, self.lengths, strict=True):
            if name.startswith(OF_CONTACTS):
                row = dict(zip(self.columns[begin : begin + length], self.counts[begin : begin + length], strict=True))
                if left := int(row.get(MATTERS, 0) - row.get(AGAIN, 0)):
                    waiting.append((name, left))
            begin += length
        return replace(
            self,
            names=(*self.names, *(name for name, _ in waiting)),
            lengths=(*self.lengths, *(1 for _ in waiting)),
            columns=np.append(self.columns, np.full(len(waiting), OPEN, dtype=np.int64)),
            counts=np.append(self.counts, np.array([left for _, left in waiting], dtype=np.int64)),
        )


def added(some: Iterable[PackedTally]) -> Tally:
    """The tally of all of them together."""
    kept, total = list(some), Tally()
    places: dict[str, int] = {}
    named = [np.repeat([places.setdefault(name, len(places)) for name in one.names], one.lengths) for one in kept]
    for one in kept:
        total.compare_waits(one.slowest, one.longest)
    if not places:
        return total
    keys = np.concatenate(named).astype(np.int64) << COLUMN_BITS
    keys += np.concatenate([one.columns for one in kept])
    order = np.argsort(keys)
    keys, counts = keys[order], np.concatenate([one.counts for one in kept])[order]
    begins = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    _put_rows(total, list(places), keys[begins], np.add.reduceat(counts, begins))
    return total


def _put_rows(total: Tally, names: list[str], keys: Numbers, counts: Numbers) -> None:
    """`keys` ascending, none twice: a name's place, then its column."""
    columns = keys & ((1 << COLUMN_BITS) - 1)
    ends = np.searchsorted(keys, np.arange(1, len(names) + 1, dtype=np.int64) << COLUMN_BITS)
    begin = 0
    for name, end in zip(names, ends.tolist(), strict=True):
        row: Row = defaultdict(int)
        row.update(zip(columns[begin:end].tolist(), counts[begin:end].tolist(), strict=True))
        total.rows[name] = row
        begin = end
