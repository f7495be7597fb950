"""Three levels of responsibility (三级负责制): who is told when that a promise is about to be broken.

Domain rule "Time limits": reporting up when it cannot be settled in time happens at once, before the limit
passes; a serious complaint goes up at once. Each telling is repeated until somebody acknowledges it. Quiet hours
hold for everything but emergencies.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.deadline_standing import EarlyWarning
from callcenter.domain.tickets import RequestType, Urgency


class Level(IntEnum):
    """Who took the call, the service supervisor (客服主管), the deputy general manager in charge (主管副总经理)."""

    AGENT = 1
    SUPERVISOR = 2
    DEPUTY_MANAGER = 3


class Cause(StrEnum):
    """Why a level is told."""

    LIMIT_NEAR = "limit_near"
    LIMIT_PASSED = "limit_passed"
    EMERGENCY = "emergency"
    SERIOUS = "serious"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    ON_CALL_SILENT = "on_call_silent"


@dataclass(frozen=True, kw_only=True, slots=True)
class EscalationRules:
    """The figures; each default is the rule. Quiet hours run from `quiet_from` to `quiet_until`, over midnight."""

    calendar: WorkCalendar
    warning: EarlyWarning = field(default_factory=EarlyWarning)
    repeat: timedelta = timedelta(minutes=30)
    repeat_emergency: timedelta = timedelta(minutes=5)
    repeat_longest: timedelta = timedelta(hours=4)
    tellings_before_up: int = 3
    quiet_from: time = time(22)
    quiet_until: time = time(7)
    serious_categories: frozenset[str] = frozenset({"attitude"})

    def is_quiet(self, at: datetime) -> bool:
        clock = self.calendar.local(at).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= clock < self.quiet_until
        return clock >= self.quiet_from or clock < self.quiet_until

    def after_quiet(self, at: datetime) -> datetime:
        """`at`, or the end of the quiet hours that it falls into."""
        if not self.is_quiet(at):
            return at
        local = self.calendar.local(at)
        day = local.date() if local.time() < self.quiet_until else local.date() + timedelta(days=1)
        return self.calendar.at(day, self.quiet_until)

    def before_quiet(self, at: datetime) -> datetime:
        """`at`, or the last minute before the quiet hours that it falls into."""
        if not self.is_quiet(at):
            return at
        local = self.calendar.local(at)
        over_midnight = self.quiet_from > self.quiet_until
        yesterday = over_midnight and local.time() < self.quiet_until
        day = local.date() - timedelta(days=1) if yesterday else local.date()
        return self.calendar.at(day, self.quiet_from) - timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """An open deadline as the escalation sees it."""

    due_at: datetime
    counts_from: datetime | None = None
    is_emergency: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """A level that is to be told, from when on, and why."""

    level: Level
    at: datetime
    cause: Cause


def is_serious(
    *, request_type: RequestType | None, urgency: Urgency | None, category: str | None, rules: EscalationRules
) -> bool:
    """A complaint that is urgent (a second call about it makes it so), or one about how a resident was treated."""
    if request_type is not RequestType.COMPLAINT:
        return False
    return urgency in (Urgency.URGENT, Urgency.EMERGENCY) or category in rules.serious_categories


def tellings_of_limit(limit: Limit, *, rules: EscalationRules) -> tuple[Telling, ...]:
    """When each level hears of a limit: the agent early, the supervisor before it passes, the manager when it has.

    An emergency goes to agent and supervisor at once. A moment in the quiet hours moves before them, so that
    there is still time to act; where that is too late, after them.
    """
    if limit.is_emergency:
        began = limit.counts_from or limit.due_at
        return (
            Telling(level=Level.AGENT, at=began, cause=Cause.EMERGENCY),
            Telling(level=Level.SUPERVISOR, at=began, cause=Cause.EMERGENCY),
            Telling(level=Level.DEPUTY_MANAGER, at=limit.due_at, cause=Cause.LIMIT_PASSED),
        )
    ahead = rules.warning.before(limit.due_at, limit.counts_from)
    first = _early(limit, ahead, rules)
    return (
        Telling(level=Level.AGENT, at=first, cause=Cause.LIMIT_NEAR),
        Telling(level=Level.SUPERVISOR, at=max(first, _early(limit, ahead / 2, rules)), cause=Cause.LIMIT_NEAR),
        Telling(level=Level.DEPUTY_MANAGER, at=rules.after_quiet(limit.due_at), cause=Cause.LIMIT_PASSED),
    )


def _early(limit: Limit, ahead: timedelta, rules: EscalationRules) -> datetime:
    wanted = limit.due_at - ahead
    moved = rules.before_quiet(wanted)
    if limit.counts_from is not None and moved < limit.counts_from:
        return rules.after_quiet(wanted)
    return moved


def tellings_of_serious(at: datetime, *, rules: EscalationRules) -> tuple[Telling, ...]:
    """A serious complaint goes up at once, to agent and supervisor."""
    told = rules.after_quiet(at)
    return tuple(Telling(level=level, at=told, cause=Cause.SERIOUS) for level in (Level.AGENT, Level.SUPERVISOR))


def after_telling(tellings: int, *, at: datetime, is_emergency: bool, rules: EscalationRules) -> datetime:
    """When an unacknowledged telling is repeated; each time it waits twice as long, up to a longest time."""
    if is_emergency:
        return at + rules.repeat_emergency
    wait = min(rules.repeat * 2 ** min(max(0, tellings - 1), 10), rules.repeat_longest)
    return rules.after_quiet(at + wait)


def level_above(level: Level, tellings: int, *, there: Collection[Level], rules: EscalationRules) -> Level | None:
    """Who is told next because nobody acknowledged so many tellings; None: nobody yet, or nobody above."""
    if tellings < rules.tellings_before_up or level is Level.DEPUTY_MANAGER:
        return None
    above = Level(level + 1)
    return None if above in there else above
