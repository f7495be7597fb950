"""A rehearsal's time of day, shared by its processes through a small memory-mapped file.

One process (the provider's simulator) sets it; the others only look. It stands still while the simulator
plays a call, so that every event carries exactly its scripted time, and runs on at the usual pace in between.
"""

import mmap
import os
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAGIC = b"CCCLOCK1"
_FORMAT = struct.Struct("<8sQqqq")
"""Magic, turn (odd while being written), virtual microseconds, real nanoseconds, 1 where it runs."""
_TURN = struct.Struct("<Q")
_TURN_OFFSET = 8
_BODY = struct.Struct("<qqq")
_BODY_OFFSET = 16


class ClockFileUnusable(Exception):
    """The clock file is missing or is not one of ours; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    virtual_us: int
    real_ns: int
    running: bool

    def at(self, real_ns: int) -> int:
        return self.virtual_us + (max(0, real_ns - self.real_ns) // 1000 if self.running else 0)


class SharedClock:
    """The time in the file; a `Clock` as callcenter.ports describes it.

    Real time is measured by the machine's monotonic clock, which all its processes share.
    """

    def __init__(self, path: Path) -> None:
        """Opens an existing clock. Raises ClockFileUnusable."""
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError as error:
            raise ClockFileUnusable(f"clock file {path}: cannot be opened ({error.strerror})") from error
        try:
            if os.fstat(descriptor).st_size != _FORMAT.size:
                raise ClockFileUnusable(f"clock file {path}: not a clock file of this program")
            self._map = mmap.mmap(descriptor, _FORMAT.size)
        finally:
            os.close(descriptor)
        if self._map[: len(_MAGIC)] != _MAGIC:
            self._map.close()
            raise ClockFileUnusable(f"clock file {path}: not a clock file of this program")
        self._latest_us = 0

    @classmethod
    def create(cls, path: Path, start: datetime, *, running: bool = True) -> "SharedClock":
        """A new clock that shows `start` (timezone-aware) now."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_FORMAT.pack(_MAGIC, 0, _microseconds(start), time.monotonic_ns(), int(running)))
        return cls(path)

    def now(self) -> datetime:
        """The present, timezone-aware, UTC; never earlier than what this object showed before."""
        self._latest_us = max(self._latest_us, self._read().at(time.monotonic_ns()))
        return _EPOCH + timedelta(microseconds=self._latest_us)

    @property
    def running(self) -> bool:
        return self._read().running

    def advance_to(self, at: datetime) -> None:
        """Sets the clock on to `at`; an earlier moment changes nothing. Only for the process that owns the time."""
        reading, real_ns = self._read(), time.monotonic_ns()
        self._write(max(reading.at(real_ns), _microseconds(at)), real_ns, running=reading.running)

    def stand_still(self) -> None:
        """From here on only `advance_to` moves the time."""
        self._set_running(False)

    def run_on(self) -> None:
        """From here on the time passes at the usual pace."""
        self._set_running(True)

    def close(self) -> None:
        self._map.close()

    def _set_running(self, running: bool) -> None:
        real_ns = time.monotonic_ns()
        self._write(self._read().at(real_ns), real_ns, running=running)

    def _read(self) -> _Reading:
        """A reading that no writer was in the middle of: the turn is even and the same before and after."""
        while True:
            (turn,) = _TURN.unpack_from(self._map, _TURN_OFFSET)
            virtual_us, real_ns, running = _BODY.unpack_from(self._map, _BODY_OFFSET)
            if turn % 2 == 0 and _TURN.unpack_from(self._map, _TURN_OFFSET) == (turn,):
                return _Reading(virtual_us=virtual_us, real_ns=real_ns, running=bool(running))

    def _write(self, virtual_us: int, real_ns: int, *, running: bool) -> None:
        (turn,) = _TURN.unpack_from(self._map, _TURN_OFFSET)
        _TURN.pack_into(self._map, _TURN_OFFSET, turn + 1)
        _BODY.pack_into(self._map, _BODY_OFFSET, virtual_us, real_ns, int(running))
        _TURN.pack_into(self._map, _TURN_OFFSET, turn + 2)


def _microseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError(f"naive time {at.isoformat()}: a clock is set to timezone-aware times")
    return (at - _EPOCH) // _MICROSECOND
