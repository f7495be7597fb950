"""Why a reminder is when it is, and why a call was or was not made: for `callcenter reminders list|explain`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallRow
from callcenter.db.campaigns import CampaignRow
from callcenter.db.engine import Database
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow, ReminderState
from callcenter.db.tickets import TicketRow
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.dialling import REFUSED_BY_PROVIDER, UNCERTAIN, Action, Decision
from callcenter.domain.reasons import Language, answer_text, reason_text
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.services.appointments import KIND as APPOINTMENT
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.may_call import decision_for

_OUTCOMES = {
    OutboundOutcome.UNDER_WAY.value: ("通话中", "under way"),
    OutboundOutcome.REACHED.value: ("已接通", "reached"),
    OutboundOutcome.MACHINE.value: ("语音信箱", "a machine answered"),
    OutboundOutcome.BUSY.value: ("占线", "busy"),
    OutboundOutcome.NO_ANSWER.value: ("无人接听", "no answer"),
    OutboundOutcome.REFUSED.value: ("拒接", "declined"),
    OutboundOutcome.WRONG_NUMBER.value: ("号码有误", "wrong number"),
    OutboundOutcome.FAILED.value: ("未接通", "failed"),
    OutboundOutcome.UNKNOWN.value: ("结果不明", "unknown"),
    REFUSED_BY_PROVIDER: ("服务商未受理，电话没有响", "the provider did not place it: nobody's phone rang"),
    UNCERTAIN: ("不确定电话是否响过", "the phone may have rung"),
}


class NoSuchReminder(Exception):
    """There is no reminder with this number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainedAttempt:
    """One try. `outcome` is in words; `outcome_code` as stored, None while the call is under way."""

    number: int
    at: datetime
    call_id: str | None
    outcome_code: str | None
    outcome: str
    keys: str | None
    answer: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """`basis` says what the call is owed for, `why` why it stands where it does, `now` what the rules say at present.

    Numbers are masked. `now` is empty where the reminder is over or already being called. `ended_by` is the person who
    cancelled it or spoke to the resident instead; `why` is then what they wrote.
    """

    reminder_id: int
    kind: str
    label: str
    state: str
    ticket_number: str | None
    to_number: str
    due_at: datetime
    basis: str
    why: str
    attempts: tuple[ExplainedAttempt, ...]
    now: str
    ended_by: str | None = None
    ended_at: datetime | None = None


async def list_reminders(
    database: Database, *, states: Sequence[ReminderState] = (), limit: int = 50
) -> list[ReminderRow]:
    """The next ones first; with `states` only those."""
    query = select(ReminderRow).order_by(ReminderRow.due_at, ReminderRow.id).limit(limit)
    if states:
        query = query.where(ReminderRow.state.in_([state.value for state in states]))
    async with database.read() as session:
        return list((await session.scalars(query)).all())


async def explain_reminder(
    database: Database, reminder_id: int, *, now: datetime, rules: FollowUpRules, language: Language = "zh"
) -> Explanation:
    """Raises NoSuchReminder."""
    async with database.read() as session:
        reminder = await session.get(ReminderRow, reminder_id)
        if reminder is None:
            raise NoSuchReminder(f"there is no reminder {reminder_id}")
        ticket = await session.get(TicketRow, reminder.ticket_id) if reminder.ticket_id is not None else None
        kind = reminder_kinds()[reminder.kind]
        return Explanation(
            reminder_id=reminder.id,
            kind=reminder.kind,
            label=kind.label_zh if language == "zh" else kind.label_en,
            state=reminder.state,
            ticket_number=ticket.number if ticket else None,
            to_number=masked(reminder.to_number),
            due_at=reminder.due_at,
            basis=await _basis(session, reminder, rules, language),
            why=reason_text(reminder.reason or "", language),
            attempts=await _attempts(session, reminder, language),
            now=await _now(session, reminder, ticket, now=now, rules=rules, language=language),
            ended_by=reminder.ended_by,
            ended_at=reminder.finished_at,
        )


def masked(number: str) -> str:
    """+8613812346207 -> +86138****6207."""
    return f"{number[:-8]}****{number[-4:]}" if len(number) > 8 else "****"


async def _basis(session: AsyncSession, reminder: ReminderRow, rules: FollowUpRules, language: Language) -> str:
    zh = language == "zh"
    if reminder.kind == APPOINTMENT and reminder.promised_for is not None:
        at = _local(reminder.promised_for, rules)
        return f"约定 {at} 上门" if zh else f"a visit is agreed for {at}"
    if reminder.promised_for is not None:
        at = _local(reminder.promised_for, rules)
        return f"承诺 {at} 前回电" if zh else f"a call was promised by {at}"
    if reminder.campaign_id is not None:
        campaign = await session.get_one(CampaignRow, reminder.campaign_id)
        until = _local(campaign.closes_at, rules)
        return f"群呼“{campaign.name}”，{until} 前" if zh else f"campaign {campaign.name!r}, until {until}"
    if reminder.ordered_by is not None:
        return f"{reminder.ordered_by} 要求立即拨打" if zh else f"{reminder.ordered_by} ordered it at once"
    call = await session.get(CallRow, reminder.call_id) if reminder.call_id is not None else None
    if call is not None:
        at = _local(call.started_at, rules)
        return (
            f"{at} 的来电未接通（{call.disposition}）"
            if zh
            else f"the call of {at} was not answered ({call.disposition})"
        )
    kind = reminder_kinds()[reminder.kind]
    return kind.label_zh if zh else kind.label_en


async def _attempts(session: AsyncSession, reminder: ReminderRow, language: Language) -> tuple[ExplainedAttempt, ...]:
    query = select(ReminderAttemptRow).where(ReminderAttemptRow.reminder_id == reminder.id)
    rows = (await session.scalars(query.order_by(ReminderAttemptRow.number))).all()
    return tuple(
        ExplainedAttempt(
            number=row.number,
            at=row.at,
            call_id=row.call_id,
            outcome_code=row.outcome,
            outcome=_OUTCOMES[row.outcome or OutboundOutcome.UNDER_WAY.value][0 if language == "zh" else 1],
            keys=row.keys,
            answer=answer_text(row.answer, language) if row.answer else None,
        )
        for row in rows
    )


async def _now(
    session: AsyncSession,
    reminder: ReminderRow,
    ticket: TicketRow | None,
    *,
    now: datetime,
    rules: FollowUpRules,
    language: Language,
) -> str:
    if reminder.state not in (ReminderState.WAITING, ReminderState.CLAIMED):
        return ""
    decision = await decision_for(session, reminder, ticket, now=now, rules=rules)
    return _said(decision, rules, language)


def _said(decision: Decision, rules: FollowUpRules, language: Language) -> str:
    why, at = reason_text(decision.reason.value, language), _local(decision.at, rules) if decision.at else ""
    zh, en = {
        Action.CALL: ("现在可以拨打", "it may be called now"),
        Action.WAIT: (f"等到 {at}", f"it waits until {at}"),
        Action.DONE: ("已完成", "it is done"),
        Action.HAND_OVER: ("转人工", "it goes to a person"),
        Action.CANCEL: ("不再拨打", "it will not be called"),
    }[decision.action]
    return f"{zh}：{why}" if language == "zh" else f"{en}: {why}"


def _local(at: datetime, rules: FollowUpRules) -> str:
    return rules.calendar.local(at).strftime("%Y-%m-%d %H:%M")
