"""Which state may follow which, and how urgent a second call makes a ticket."""

import pytest

from callcenter.domain.ticket_life import (
    TRANSITIONS,
    TicketStatus,
    TransitionRefused,
    check_transition,
    higher,
    raised,
)
from callcenter.domain.tickets import Urgency


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TRANSITIONS) == set(TicketStatus)
    assert all(TRANSITIONS.values())
    reachable = set().union(*TRANSITIONS.values())
    assert reachable == set(TicketStatus) - {TicketStatus.OPEN}


def test_verified_only_after_solved() -> None:
    check_transition(TicketStatus.SOLVED, TicketStatus.VERIFIED)
    with pytest.raises(TransitionRefused, match="in_progress cannot become verified"):
        check_transition(TicketStatus.IN_PROGRESS, TicketStatus.VERIFIED)


def test_a_second_call_raises_the_urgency_one_step_and_never_lowers_it() -> None:
    assert raised(None) is raised(Urgency.NORMAL) is raised(Urgency.URGENT) is Urgency.URGENT
    assert raised(Urgency.EMERGENCY) is Urgency.EMERGENCY
    assert higher(Urgency.URGENT, Urgency.EMERGENCY) is Urgency.EMERGENCY
    assert higher(Urgency.URGENT, Urgency.NORMAL) is Urgency.URGENT
