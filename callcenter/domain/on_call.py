"""Who is phoned in an emergency, in which order, until somebody acknowledges by key press.

Domain rule "Time limits": the on-call person is told at once by phone, the next one after 60 s without
acknowledgement, around the rota. A try whose outcome nobody knows is as good as none: the next person is phoned.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

ACKNOWLEDGE_KEY = "1"
ARRIVED_KEY = "2"
EVERY_DAY = frozenset(range(7))


class AlarmState(StrEnum):
    """RINGING until acknowledged; SILENT: everybody was phoned as often as the rules say, and nobody answered."""

    RINGING = "ringing"
    ACKNOWLEDGED = "acknowledged"
    SILENT = "silent"
    ENDED = "ended"


class AlarmEnd(StrEnum):
    """Why an alarm ended, or why it is silent."""

    ARRIVED = "arrived"
    NO_EMERGENCY = "no_emergency"
    NOBODY_ON_CALL = "nobody_on_call"
    NOBODY_ACKNOWLEDGED = "nobody_acknowledged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """A stretch of the week: local days (Monday 0) and hours. An `end` not after `start` is the next day's."""

    days: frozenset[int] = EVERY_DAY
    start: time = time(0)
    end: time = time(0)

    def covers(self, local: datetime) -> bool:
        day, clock = local.weekday(), local.time()
        if self.start < self.end:
            return day in self.days and self.start <= clock < self.end
        if clock >= self.start:
            return day in self.days
        return clock < self.end and (day - 1) % 7 in self.days


@dataclass(frozen=True, kw_only=True, slots=True)
class OnCallPerson:
    """Somebody who is phoned. No `duties`: at all hours; no `estates`: for all of them."""

    name: str
    phone: str
    duties: tuple[Duty, ...] = ()
    estates: frozenset[str] = frozenset()

    def is_on_duty(self, local: datetime) -> bool:
        return not self.duties or any(duty.covers(local) for duty in self.duties)

    def serves(self, estate: str | None) -> bool:
        return not self.estates or estate is None or estate in self.estates


@dataclass(frozen=True, kw_only=True, slots=True)
class OnCallRules:
    """The rota in its order; `answer` is how long a person has, `rounds` how often each is phoned at most."""

    zone: ZoneInfo
    people: tuple[OnCallPerson, ...] = ()
    answer: timedelta = timedelta(seconds=60)
    rounds: int = field(default=3)

    def rota(self, at: datetime, estate: str | None) -> tuple[OnCallPerson, ...]:
        """Who is phoned now, in order. Where the rota leaves a gap, everybody: an emergency is told to somebody."""
        local = at.astimezone(self.zone)
        serving = tuple(one for one in self.people if one.serves(estate)) or self.people
        return tuple(one for one in serving if one.is_on_duty(local)) or serving


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """One call to an on-call person: by the number that was phoned, and when."""

    phone: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NextCall:
    """Whom to phone, and not before when."""

    person: OnCallPerson
    at: datetime


def next_call(tried: Sequence[Tried], *, now: datetime, estate: str | None, rules: OnCallRules) -> NextCall | None:
    """Around the rota: whoever was phoned least, in its order; None where everybody was phoned often enough.

    The same person is phoned again only after the time that they have to answer. Tries in the future (the clock
    has been set back) are counted and not waited for.
    """
    best: tuple[int, OnCallPerson] | None = None
    for person in rules.rota(now, estate):
        times = sum(one.phone == person.phone for one in tried)
        if times < rules.rounds and (best is None or times < best[0]):
            best = (times, person)
    if best is None:
        return None
    last = max((one.at for one in tried if one.phone == best[1].phone and one.at <= now), default=None)
    return NextCall(person=best[1], at=now if last is None else max(now, last + rules.answer))
