"""What follows when a ticket moves on: clocks stopped and started, deadlines met, calls planned and cancelled."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.deadlines import DeadlineKind, feedback_reply
from callcenter.domain.dialling import Reason
from callcenter.domain.ticket_life import FINISHED, HistoryAction, TicketStatus, TransitionRefused, check_transition
from callcenter.services.after_the_fix import cancel_satisfaction, plan_satisfaction
from callcenter.services.deadlines import add_deadlines, meet_deadlines, pause_deadlines, resume_deadlines
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reminders import cancel, pending_reminders
from callcenter.services.ticket_history import write_history

ENDS_WORK = frozenset({TicketStatus.SOLVED, TicketStatus.VERIFIED, TicketStatus.CLOSED})


async def set_status(
    session: AsyncSession, ticket: TicketRow, to: TicketStatus, *, actor: str, now: datetime, rules: FollowUpRules
) -> None:
    """Moves a ticket and writes it into its history. Raises TransitionRefused."""
    data = {"from": ticket.status, "to": to.value}
    await move(session, ticket, to, now=now, rules=rules)
    write_history(session, ticket.id, HistoryAction.STATUS_CHANGED, at=now, actor=actor, data=data)


async def move(
    session: AsyncSession, ticket: TicketRow, to: TicketStatus, *, now: datetime, rules: FollowUpRules
) -> None:
    """Raises TransitionRefused, also for a ticket that is merged with another one: that one goes on.

    Solving ends the working deadlines and plans the call after the fix; only a verified or closed ticket cancels the
    calls that are owed, since a solved one's resident has not heard yet. Reopening sets the clock for an answer to
    the resident's feedback. While a ticket waits for the resident, the time of the work does not run.
    """
    before = TicketStatus(ticket.status)
    check_transition(before, to)
    if ticket.merged_into is not None:
        raise TransitionRefused(before, to)
    if to is TicketStatus.WAITING:
        await pause_deadlines(session, ticket.id, at=now)
    elif before is TicketStatus.WAITING:
        await resume_deadlines(session, ticket, at=now, rules=rules)
    ticket.status = to.value
    if to in ENDS_WORK:
        await _end_work(session, ticket, to, now=now)
    if to is TicketStatus.SOLVED:
        await plan_satisfaction(session, ticket, now=now, rules=rules)
    elif to is TicketStatus.REOPENED:
        ticket.solved_at = ticket.closed_at = None
        await cancel_satisfaction(session, ticket, now=now)
        add_deadlines(session, ticket.id, [feedback_reply(at=now, calendar=rules.calendar_of(ticket.estate))])


async def _end_work(session: AsyncSession, ticket: TicketRow, to: TicketStatus, *, now: datetime) -> None:
    ticket.solved_at = ticket.solved_at or now
    ended = [DeadlineKind.ON_SITE, DeadlineKind.SETTLED, DeadlineKind.PASSED_ON]
    await meet_deadlines(session, ticket.id, ended, at=now)
    if to in FINISHED:
        await meet_deadlines(session, ticket.id, list(DeadlineKind), at=now)
        waiting = await pending_reminders(session, ReminderRow.ticket_id == ticket.id)
        await cancel(session, waiting, Reason.TICKET_FINISHED, now=now)
    if to is TicketStatus.CLOSED:
        ticket.closed_at = now
