"""What must have happened by when (domain rule "Time limits"), from what a ticket is about and what was promised."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.counted_time import Counted, after_counted_time
from callcenter.domain.tickets import Evidence, Found, Promise, PromiseKind, RequestType, Urgency


class DeadlineKind(StrEnum):
    """ON_SITE ends by an "arrived" event, FIRST_REPLY and PROMISE by reaching the resident, the others by solving."""

    ON_SITE = "on_site"
    FIRST_REPLY = "first_reply"
    SETTLED = "settled"
    PASSED_ON = "passed_on"
    FEEDBACK_REPLY = "feedback_reply"
    PROMISE = "promise"


FROM_THE_TICKET = frozenset({DeadlineKind.ON_SITE, DeadlineKind.FIRST_REPLY, DeadlineKind.SETTLED})
"""Kinds that follow from type and urgency alone, so that they change when a person corrects those."""


PAUSED_WHILE_WAITING = frozenset({DeadlineKind.SETTLED, DeadlineKind.PASSED_ON})
"""The work stands still while the resident must do something first; what we owe the resident by then does not."""

UNSURE_EMERGENCY = "emergency_unsure"
"""The basis of a 3-minute clock that runs although the emergency was not heard well enough to write it down."""
OWN_LIMIT = "own_limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnLimit:
    """A limit of the operator's own: the first that fits a ticket replaces the built-in one of its kind.

    None fits everything.
    """

    kind: DeadlineKind
    length: timedelta
    counted: Counted = Counted.CLOCK
    request_type: RequestType | None = None
    urgency: Urgency | None = None
    category: str | None = None

    def fits(self, request_type: RequestType | None, urgency: Urgency | None, category: str | None) -> bool:
        pairs = ((self.request_type, request_type), (self.urgency, urgency), (self.category, category))
        return all(wanted is None or wanted == found for wanted, found in pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadlineRules:
    """The limits; each default is the rule."""

    on_site: timedelta = timedelta(minutes=3)
    first_reply: timedelta = timedelta(hours=24)
    passed_on: timedelta = timedelta(days=3)
    own: tuple[OwnLimit, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """`basis` names the rule; `text` and `evidence` are the words of a promise.

    `counts_from` is when its time began to run, where that is known, and `counted` how it runs.
    """

    kind: DeadlineKind
    due_at: datetime
    basis: str
    text: str | None = None
    evidence: tuple[Evidence, ...] = ()
    counts_from: datetime | None = None
    counted: Counted = Counted.CLOCK


def deadlines_of_ticket(
    *,
    reported_at: datetime,
    request_type: RequestType | None,
    urgency: Urgency | None,
    rules: DeadlineRules,
    calendar: WorkCalendar,
    category: str | None = None,
    unsure_emergency: bool = False,
) -> tuple[Deadline, ...]:
    """The limits that follow from what the ticket is about; the operator's own ones win over the built-in ones.

    `unsure_emergency`: one was heard, but not well enough to write it down. The clock runs all the same.
    """
    found: dict[DeadlineKind, Deadline] = {}

    def limit(kind: DeadlineKind, due_at: datetime, basis: str, counted: Counted = Counted.CLOCK) -> None:
        found[kind] = Deadline(kind=kind, due_at=due_at, basis=basis, counts_from=reported_at, counted=counted)

    is_emergency = request_type is RequestType.EMERGENCY or urgency is Urgency.EMERGENCY
    if is_emergency or unsure_emergency:
        limit(DeadlineKind.ON_SITE, reported_at + rules.on_site, "emergency" if is_emergency else UNSURE_EMERGENCY)
    if request_type is RequestType.COMPLAINT:
        limit(DeadlineKind.FIRST_REPLY, reported_at + rules.first_reply, "complaint")
        limit(DeadlineKind.SETTLED, calendar.end_of_day(reported_at), "complaint_same_day", Counted.DAYS)
    for own in reversed(rules.own):
        if own.fits(request_type, urgency, category):
            due = after_counted_time(reported_at, own.length, counted=own.counted, calendar=calendar)
            limit(own.kind, due, OWN_LIMIT, own.counted)
    return tuple(found.values())


def deadlines_of_promises(
    promises: Iterable[Found[Promise]], *, made_at: datetime | None = None
) -> tuple[Deadline, ...]:
    """A promise with a time is due at its time; one without sets no limit that could be shown."""
    return tuple(
        Deadline(
            kind=DeadlineKind.PROMISE,
            due_at=promise.value.due,
            basis=promise.value.kind.value,
            text=promise.value.text,
            evidence=promise.evidence,
            counts_from=made_at,
        )
        for promise in promises
        if promise.value.due is not None
    )


def passed_on(*, at: datetime, rules: DeadlineRules) -> Deadline:
    """A request that another department settles."""
    return Deadline(kind=DeadlineKind.PASSED_ON, due_at=at + rules.passed_on, basis="passed_on", counts_from=at)


def feedback_reply(*, at: datetime, calendar: WorkCalendar) -> Deadline:
    """A resident's feedback about a follow-up is answered within half a working day."""
    due = calendar.after_working_time(at, calendar.half_a_working_day())
    return Deadline(
        kind=DeadlineKind.FEEDBACK_REPLY, due_at=due, basis="feedback", counts_from=at, counted=Counted.WORKING_TIME
    )


KEPT_BY_PHONE = frozenset({PromiseKind.CALL_BACK, PromiseKind.REPLY})
"""A promised call or reply is one that we can keep by phoning; a visit is kept by being there."""
