"""What a reminder's call says: its kind's text, filled with what the ticket, the campaign or the fee is about."""

from datetime import date, datetime, time, timedelta
from typing import Any

from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.domain.call_text import SpokenMatter, spoken_text
from callcenter.domain.heard_fields import PLACE_COLUMNS
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import Place
from callcenter.services.follow_up_rules import FollowUpRules


def speech_for(reminder: ReminderRow, ticket: TicketRow | None, *, now: datetime, rules: FollowUpRules) -> str:
    matter = SpokenMatter(
        reported=ticket.summary if ticket else None,
        place=Place(**{name: getattr(ticket, name) for name in PLACE_COLUMNS}) if ticket else None,
        ticket_number=ticket.number if ticket else None,
        promised_for=reminder.promised_for,
        agent=rules.agent_names.get(reminder.ordered_by or (ticket.owner if ticket else None) or ""),
        **_own_matter(reminder.matter or {}),
    )
    return say(reminder.kind, matter, now=now, rules=rules)


def example_speech(kind: str, *, now: datetime, rules: FollowUpRules) -> str:
    """What a call of this kind says about something made up, so that an operator can hear it before a resident does."""
    today = rules.calendar.local(now).date()
    matter = SpokenMatter(
        reported="厨房水管漏水",
        place=Place(building="3", unit="2", room="501"),
        ticket_number="GD-1124-0001",
        promised_for=rules.calendar.at(today + timedelta(days=1), time(14, 30)),
        agent=next(iter(rules.agent_names.values()), "何雯"),
        name="王女士",
        amount_fen=123450,
        items="2026年第三季度物业费",
        due_on=today - timedelta(days=20),
        text="祝您新年快乐，阖家安康" if kind == "festival_greeting" else "明天14:00至18:00，3栋停水，请提前储水",
    )
    return say(kind, matter, now=now, rules=rules)


def say(kind: str, matter: SpokenMatter, *, now: datetime, rules: FollowUpRules) -> str:
    text = rules.text_of(kind)
    return spoken_text(text, reminder_kinds()[kind], matter, company=rules.company, now=now, zone=rules.zone)


def _own_matter(matter: dict[str, Any]) -> dict[str, Any]:
    due_on = matter.get("due_on")
    return {
        "address": matter.get("place"),
        "name": matter.get("name"),
        "amount_fen": matter.get("amount_fen"),
        "items": matter.get("items"),
        "due_on": date.fromisoformat(due_on) if due_on else None,
        "text": matter.get("text"),
    }
