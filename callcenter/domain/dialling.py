"""When a resident may be phoned, and what follows from each try (domain rule "Calling back").

Calls go out in decent hours; a promise with a time may go outside them, a resident's own wish may not be
overridden. A contact at most once a topic a day, at most 3 attempts a topic and 5 a number a day; not
reached: again at a different time of day, and after the last try a person takes over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.decent_times import DecentTimes

REFUSED_BY_PROVIDER = "refused_by_provider"
UNCERTAIN = "uncertain"


class Action(StrEnum):
    """What to do with a reminder now."""

    CALL = "call"
    WAIT = "wait"
    DONE = "done"
    HAND_OVER = "hand_over"
    CANCEL = "cancel"


class Reason(StrEnum):
    """Why; `reason_text` says it in words."""

    DUE = "due"
    PROMISED_TIME = "promised_time"
    ORDERED = "ordered"
    NOT_YET_DUE = "not_yet_due"
    OUTSIDE_DECENT_HOURS = "outside_decent_hours"
    NOT_ON_THIS_DAY = "not_on_this_day"
    UNWANTED_TIME = "unwanted_time"
    NO_COMMON_HOURS = "no_common_hours"
    REACHED_TODAY = "reached_today"
    NUMBER_TRIED_OFTEN_TODAY = "number_tried_often_today"
    LINE_IN_USE = "line_in_use"
    ALL_LINES_BUSY = "all_lines_busy"
    NOBODY_FREE = "nobody_free"
    CAMPAIGN_PACE = "campaign_pace"
    RESIDENT_JUST_CALLED = "resident_just_called"
    OPEN_COMPLAINT = "open_complaint"
    CAMPAIGN_HELD = "campaign_held"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    MACHINE = "machine"
    CALL_FAILED = "call_failed"
    PROVIDER_REFUSED = "provider_refused"
    REACHED = "reached"
    WRONG_NUMBER = "wrong_number"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PROVIDER_UNCERTAIN = "provider_uncertain"
    LEFT_UNFINISHED = "left_unfinished"
    LAST_ATTEMPT = "last_attempt"
    TOO_LATE = "too_late"
    WANTS_A_PERSON = "wants_a_person"
    DO_NOT_CALL = "do_not_call"
    NOT_AGREED = "not_agreed"
    NOT_DIALABLE = "not_dialable"
    TICKET_FINISHED = "ticket_finished"
    RESIDENT_CALLED_IN = "resident_called_in"
    ANOTHER_CALL_SERVED = "another_call_served"
    NO_LONGER_OWED = "no_longer_owed"
    CANCELLED_BY_PERSON = "cancelled_by_person"
    SPOKEN_TO = "spoken_to"


@dataclass(frozen=True, kw_only=True, slots=True)
class DiallingRules(DecentTimes):
    """The figures; each default is the rule. Hours and days are those of one kind of call, for one resident."""

    attempts_per_topic: int = 3
    attempts_per_number_a_day: int = 5
    provider_refusals: int = 5
    busy_retry: timedelta = timedelta(minutes=10)
    failed_retry: timedelta = timedelta(minutes=10)
    refused_retry: timedelta = timedelta(minutes=2)
    line_in_use_retry: timedelta = timedelta(minutes=2)
    promise_waits_for_line: timedelta = timedelta(seconds=90)
    unclear_for: timedelta = timedelta(minutes=12)
    promise_grace: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One earlier try: its outcome (an OutboundOutcome, REFUSED_BY_PROVIDER or UNCERTAIN), None while under way."""

    at: datetime
    outcome: str | None

    @property
    def may_have_rung(self) -> bool:
        return self.outcome != REFUSED_BY_PROVIDER

    @property
    def reached(self) -> bool:
        return self.outcome == OutboundOutcome.REACHED


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A call that is planned: due when, promised for when, and whether its kind may leave the decent hours.

    From `expires_at` on it would come too late. `owed_by`: a time limit that the first try is to meet. `ordered`: an
    agent wants it now; only the resident's wish stands against that. Where `goes_to_a_person` is not set, nobody takes
    over a call that was never answered.
    """

    due_at: datetime
    promised_for: datetime | None = None
    expires_at: datetime | None = None
    owed_by: datetime | None = None
    may_go_outside_decent_hours: bool = False
    is_emergency: bool = False
    ordered: bool = False
    goes_to_a_person: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do and why; `at` is when, for WAIT."""

    action: Action
    reason: Reason
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Obstacles:
    """What stands against any call of a kind to a number, apart from the time."""

    do_not_call: bool = False
    not_agreed: bool = False
    wrong_number: bool = False
    open_complaint: bool = False
    resident_just_called: bool = False


FREE = Obstacles()


def decide(
    planned: Planned,
    *,
    now: datetime,
    rules: DiallingRules,
    of_topic: Sequence[Attempt] = (),
    of_number: Sequence[Attempt] = (),
    obstacles: Obstacles = FREE,
) -> Decision:
    """Whether the call may be made now. `of_number` are the day's tries at the number, `of_topic` all of the topic."""
    if obstacles.do_not_call:
        return Decision(action=Action.CANCEL, reason=Reason.DO_NOT_CALL)
    if obstacles.not_agreed:
        return Decision(action=Action.CANCEL, reason=Reason.NOT_AGREED)
    if planned.expires_at is not None and now >= planned.expires_at:
        return Decision(action=Action.CANCEL, reason=Reason.TOO_LATE)
    if not rules.has_hours:
        return _given_up(planned, Reason.NO_COMMON_HOURS)
    if planned.ordered:
        return _ordered(planned, now, rules, of_number, obstacles)
    if obstacles.wrong_number:
        return _given_up(planned, Reason.WRONG_NUMBER)
    if sum(attempt.may_have_rung for attempt in of_topic) >= rules.attempts_per_topic:
        return _given_up(planned, Reason.LAST_ATTEMPT)
    if now < planned.due_at:
        return Decision(action=Action.WAIT, reason=Reason.NOT_YET_DUE, at=planned.due_at)
    decision = (
        _limits_of_today(planned, now, rules, of_topic, of_number)
        or _waits(planned, now, rules, obstacles)
        or _hours(planned, now, rules)
    )
    return _unless_it_is_owed(planned, rules, _unless_too_late(planned, decision), of_topic)


def _unless_it_is_owed(
    planned: Planned, rules: DiallingRules, decision: Decision, of_topic: Sequence[Attempt]
) -> Decision:
    """What would let a promise or a time limit pass without a single try is for a person to keep.

    A promise may leave the decent hours; a limit (a complaint's first reply) may not, and has to be met before them.
    """
    if decision.at is None or any(attempt.may_have_rung for attempt in of_topic):
        return decision
    by, reasons = planned.owed_by, _MEANWHILE | _UNTIL_DECENT
    if planned.promised_for is not None:
        by, reasons = planned.promised_for + rules.promise_grace, _MEANWHILE
        if decision.reason is Reason.LINE_IN_USE:
            by, reasons = planned.promised_for + rules.promise_waits_for_line, frozenset({Reason.LINE_IN_USE})
    if by is None or decision.at <= by or decision.reason not in reasons:
        return decision
    return _given_up(planned, decision.reason)


def _given_up(planned: Planned, reason: Reason) -> Decision:
    return Decision(action=Action.HAND_OVER if planned.goes_to_a_person else Action.CANCEL, reason=reason)


def _unless_too_late(planned: Planned, decision: Decision) -> Decision:
    if decision.at is None or planned.expires_at is None or decision.at < planned.expires_at:
        return decision
    return _given_up(planned, Reason.TOO_LATE)


def _ordered(
    planned: Planned, now: datetime, rules: DiallingRules, of_number: Sequence[Attempt], obstacles: Obstacles
) -> Decision:
    """An agent's "call now" waits only for the line, and for the times of day that the resident wants."""
    if rules.is_unwanted(now):
        return Decision(action=Action.WAIT, reason=Reason.UNWANTED_TIME, at=rules.decent_from(now))
    if _may_be_ringing(now, rules, of_number):
        return _line_taken(Reason.LINE_IN_USE, planned, now, rules)
    if obstacles.resident_just_called:
        return _line_taken(Reason.RESIDENT_JUST_CALLED, planned, now, rules)
    return Decision(action=Action.CALL, reason=Reason.ORDERED)


def _line_taken(reason: Reason, planned: Planned, now: datetime, rules: DiallingRules) -> Decision:
    """Asked again in a moment; at the time promised too, and when a promise cannot wait for the line any longer."""
    again = now + rules.line_in_use_retry
    if planned.promised_for is not None:
        looks = (planned.promised_for, planned.promised_for + rules.promise_waits_for_line)
        again = next((one for one in looks if now < one < again), again)
    return Decision(action=Action.WAIT, reason=reason, at=again)


def _waits(planned: Planned, now: datetime, rules: DiallingRules, obstacles: Obstacles) -> Decision | None:
    if obstacles.open_complaint:
        return Decision(action=Action.WAIT, reason=Reason.OPEN_COMPLAINT, at=_tomorrow(now, rules))
    if obstacles.resident_just_called:
        return _line_taken(Reason.RESIDENT_JUST_CALLED, planned, now, rules)
    return None


def _limits_of_today(
    planned: Planned,
    now: datetime,
    rules: DiallingRules,
    of_topic: Sequence[Attempt],
    of_number: Sequence[Attempt],
) -> Decision | None:
    """A try later than now was made before the clock was set back, and counts as one of today's."""
    today, local = rules.calendar.local(now).date(), rules.calendar.local
    if any(attempt.reached and local(attempt.at).date() >= today for attempt in of_topic):
        return Decision(action=Action.WAIT, reason=Reason.REACHED_TODAY, at=_tomorrow(now, rules))
    tries = [attempt for attempt in of_number if attempt.may_have_rung and local(attempt.at).date() >= today]
    if len(tries) >= rules.attempts_per_number_a_day:
        return Decision(action=Action.WAIT, reason=Reason.NUMBER_TRIED_OFTEN_TODAY, at=_tomorrow(now, rules, of_topic))
    return _line_taken(Reason.LINE_IN_USE, planned, now, rules) if _may_be_ringing(now, rules, of_number) else None


def _may_be_ringing(now: datetime, rules: DiallingRules, of_number: Sequence[Attempt]) -> bool:
    """A call to the number is under way, or the provider gave no clear answer so lately that one may be."""
    return any(
        attempt.outcome is None or (attempt.outcome == UNCERTAIN and abs(now - attempt.at) < rules.unclear_for)
        for attempt in of_number
    )


def _tomorrow(now: datetime, rules: DiallingRules, of_topic: Sequence[Attempt] = ()) -> datetime:
    """Where nobody answered at the last try, not at its time of day again."""
    begin, last = rules.decent_from(rules.calendar.end_of_day(now)), next(reversed(of_topic), None)
    if last is None or last.outcome not in _ANOTHER_TIME or rules.part_of_day(begin) != rules.part_of_day(last.at):
        return begin
    return rules.other_time_of_day(begin, [last.at])


def _hours(planned: Planned, now: datetime, rules: DiallingRules) -> Decision:
    if rules.is_decent(now):
        return Decision(action=Action.CALL, reason=Reason.DUE)
    if may_be_made_at(planned, now, rules):
        return Decision(action=Action.CALL, reason=Reason.PROMISED_TIME)
    reason = Reason.OUTSIDE_DECENT_HOURS
    if rules.is_unwanted(now):
        reason = Reason.UNWANTED_TIME
    elif not rules.is_decent_day(rules.calendar.local(now).date()):
        reason = Reason.NOT_ON_THIS_DAY
    return Decision(action=Action.WAIT, reason=reason, at=rules.decent_from(now))


def may_be_made_at(planned: Planned, at: datetime, rules: DiallingRules) -> bool:
    """In decent hours; outside them in an emergency or near the time promised, not hours after it.

    Never at a time of day that the resident does not want.
    """
    if rules.is_decent(at) or rules.is_unwanted(at) or not planned.may_go_outside_decent_hours:
        return rules.is_decent(at)
    promised = planned.promised_for
    return planned.is_emergency or (promised is not None and at <= promised + rules.promise_grace)


def after_attempt(
    outcome: str, planned: Planned, *, at: datetime, rules: DiallingRules, of_topic: Sequence[Attempt]
) -> Decision:
    """What follows from a try that ended at `at` with `outcome`; `of_topic` are all tries, this one included."""
    end = _ENDS.get(outcome)
    if end is not None:
        return end if end.action is Action.DONE else _given_up(planned, end.reason)
    if not rules.has_hours:
        return _given_up(planned, Reason.NO_COMMON_HOURS)
    return _unless_too_late(planned, _again(outcome, planned, at, rules, of_topic))


def _again(outcome: str, planned: Planned, at: datetime, rules: DiallingRules, of_topic: Sequence[Attempt]) -> Decision:
    if outcome == REFUSED_BY_PROVIDER:
        return _after_refusal(planned, at, rules, of_topic)
    if sum(attempt.may_have_rung for attempt in of_topic) >= rules.attempts_per_topic:
        return _given_up(planned, Reason.LAST_ATTEMPT)
    reason = _CAUSES.get(outcome, Reason.CALL_FAILED)
    if reason in (Reason.BUSY, Reason.CALL_FAILED):
        soon = at + (rules.busy_retry if reason is Reason.BUSY else rules.failed_retry)
        return Decision(action=Action.WAIT, reason=reason, at=_allowed_from(planned, soon, rules))
    other = rules.other_time_of_day(at, [attempt.at for attempt in of_topic])
    return Decision(action=Action.WAIT, reason=reason, at=other)


def _after_refusal(planned: Planned, at: datetime, rules: DiallingRules, of_topic: Sequence[Attempt]) -> Decision:
    """Nobody's phone rang, so this is no attempt at the resident; each time we wait twice as long."""
    refusals = sum(not attempt.may_have_rung for attempt in of_topic)
    if refusals >= rules.provider_refusals:
        return _given_up(planned, Reason.PROVIDER_REFUSED)
    soon = at + rules.refused_retry * 2 ** max(0, refusals - 1)
    return Decision(action=Action.WAIT, reason=Reason.PROVIDER_REFUSED, at=_allowed_from(planned, soon, rules))


def _allowed_from(planned: Planned, at: datetime, rules: DiallingRules) -> datetime:
    return at if may_be_made_at(planned, at, rules) else rules.decent_from(at)


_ENDS = {
    OutboundOutcome.REACHED.value: Decision(action=Action.DONE, reason=Reason.REACHED),
    OutboundOutcome.WRONG_NUMBER.value: Decision(action=Action.HAND_OVER, reason=Reason.WRONG_NUMBER),
    OutboundOutcome.UNKNOWN.value: Decision(action=Action.HAND_OVER, reason=Reason.OUTCOME_UNKNOWN),
    UNCERTAIN: Decision(action=Action.HAND_OVER, reason=Reason.PROVIDER_UNCERTAIN),
}
_MEANWHILE = frozenset({Reason.UNWANTED_TIME, Reason.NUMBER_TRIED_OFTEN_TODAY})
_UNTIL_DECENT = frozenset({Reason.OUTSIDE_DECENT_HOURS, Reason.NOT_ON_THIS_DAY})
_ANOTHER_TIME = frozenset({OutboundOutcome.NO_ANSWER, OutboundOutcome.REFUSED, OutboundOutcome.MACHINE})
_CAUSES = {
    OutboundOutcome.BUSY.value: Reason.BUSY,
    OutboundOutcome.NO_ANSWER.value: Reason.NO_ANSWER,
    OutboundOutcome.REFUSED.value: Reason.DECLINED,
    OutboundOutcome.MACHINE.value: Reason.MACHINE,
}
