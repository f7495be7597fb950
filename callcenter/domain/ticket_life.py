"""The life of a ticket: its states, which may follow which, and what is written into its history."""

from collections.abc import Mapping
from enum import StrEnum

from callcenter.domain.tickets import Urgency


class TicketStatus(StrEnum):
    """SOLVED: the work is done; VERIFIED: the resident said so (回访); only then CLOSED."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    WAITING = "waiting"
    SOLVED = "solved"
    VERIFIED = "verified"
    CLOSED = "closed"
    REOPENED = "reopened"


class HistoryAction(StrEnum):
    """What a line of a ticket's history says; its data carries the particulars."""

    OPENED = "opened"
    REPEAT_CALL = "repeat_call"
    FIELD_CORRECTED = "field_corrected"
    WORDS_CORRECTED = "words_corrected"
    FIELDS_CONFIRMED = "fields_confirmed"
    ASSIGNED = "assigned"
    STATUS_CHANGED = "status_changed"
    NOTE = "note"
    ATTACHED = "attached"
    DETACHED = "detached"
    PROMISED = "promised"
    PASSED_ON = "passed_on"
    ARRIVED = "arrived"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SPLIT = "split"
    MADE_OF_PROBLEM = "made_of_problem"
    INCIDENT_LINKED = "incident_linked"
    INCIDENT_LEFT = "incident_left"
    REMINDER_PLANNED = "reminder_planned"
    RESIDENT_CALLED = "resident_called"
    RESIDENT_ANSWERED = "resident_answered"
    HANDED_OVER = "handed_over"
    REMINDER_CANCELLED = "reminder_cancelled"
    ESCALATED = "escalated"
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
    ON_CALL_PHONED = "on_call_phoned"
    ON_CALL_ACKNOWLEDGED = "on_call_acknowledged"
    ON_CALL_SILENT = "on_call_silent"


_S = TicketStatus
_WORKED_ON = frozenset({_S.ASSIGNED, _S.IN_PROGRESS, _S.WAITING, _S.SOLVED, _S.CLOSED})

TRANSITIONS: Mapping[TicketStatus, frozenset[TicketStatus]] = {
    _S.OPEN: _WORKED_ON,
    _S.ASSIGNED: _WORKED_ON,
    _S.IN_PROGRESS: _WORKED_ON - {_S.IN_PROGRESS},
    _S.WAITING: _WORKED_ON - {_S.WAITING},
    _S.SOLVED: frozenset({_S.VERIFIED, _S.CLOSED, _S.REOPENED}),
    _S.VERIFIED: frozenset({_S.CLOSED, _S.REOPENED}),
    _S.CLOSED: frozenset({_S.REOPENED}),
    _S.REOPENED: _WORKED_ON,
}

FINISHED = frozenset({TicketStatus.VERIFIED, TicketStatus.CLOSED})
"""Nothing is owed any more; SOLVED is not among them, since the resident has not heard yet."""

JOINABLE = frozenset(TicketStatus) - FINISHED
"""A resident who calls again about one of these is joined to it; a solved one is reopened by that."""


class TransitionRefused(Exception):
    """A ticket cannot go from its status to the one asked for."""

    def __init__(self, current: TicketStatus, wanted: TicketStatus) -> None:
        super().__init__(f"a ticket that is {current} cannot become {wanted}")
        self.current = current
        self.wanted = wanted


def check_transition(current: TicketStatus, wanted: TicketStatus) -> None:
    """Raises TransitionRefused."""
    if wanted not in TRANSITIONS[current]:
        raise TransitionRefused(current, wanted)


def raised(urgency: Urgency | None) -> Urgency:
    """One step up for a second call. It stops at urgent: an emergency means danger, which impatience is not."""
    return Urgency.EMERGENCY if urgency is Urgency.EMERGENCY else Urgency.URGENT


def higher(one: Urgency, other: Urgency | None) -> Urgency:
    order = (Urgency.EMERGENCY, Urgency.URGENT, Urgency.NORMAL)
    return one if other is None else min(one, other, key=order.index)
