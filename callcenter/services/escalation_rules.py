"""The rules of escalating and of on-call phoning, and who is told, as the settings give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from callcenter.config import EmergencySettings, EscalationSettings, NotifySettings, OnCallSettings
from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.deadline_standing import EarlyWarning
from callcenter.domain.escalation import EscalationRules, Level
from callcenter.domain.on_call import Duty, OnCallPerson, OnCallRules

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, kw_only=True, slots=True)
class Colleague:
    """Somebody who is told. `agent`: only about this agent's own tickets; `channels`: how many they have."""

    name: str
    level: Level
    agent: str | None
    channels: int


def recipients(people: Sequence[Colleague], level: Level, owner: str | None) -> list[Colleague]:
    """Who is told at a level: on the first one the owner of the ticket, and who is there for all agents."""
    return [one for one in people if one.level is level and (one.agent is None or one.agent == owner)]


def colleagues(people: Sequence[NotifySettings]) -> tuple[Colleague, ...]:
    return tuple(
        Colleague(name=one.name, level=Level(one.level), agent=one.agent, channels=len(one.urls)) for one in people
    )


def early_warning(settings: EscalationSettings) -> EarlyWarning:
    """When a limit is near: the same for those who are told and for those who look at the console."""
    return EarlyWarning(longest=timedelta(hours=settings.longest_ahead_hours))


def escalation_rules(settings: EscalationSettings, calendar: WorkCalendar) -> EscalationRules:
    return EscalationRules(
        calendar=calendar,
        warning=early_warning(settings),
        repeat=timedelta(minutes=settings.repeat_minutes),
        repeat_emergency=timedelta(minutes=settings.emergency_repeat_minutes),
        tellings_before_up=settings.tellings_before_up,
        quiet_from=settings.quiet_from,
        quiet_until=settings.quiet_until,
        serious_categories=frozenset(settings.serious_categories),
    )


def on_call_rules(
    people: Sequence[OnCallSettings], emergency: EmergencySettings, calendar: WorkCalendar
) -> OnCallRules:
    return OnCallRules(
        zone=calendar.zone,
        people=tuple(_person(one) for one in people),
        answer=timedelta(seconds=emergency.answer_seconds),
        rounds=emergency.rounds,
    )


def _person(one: OnCallSettings) -> OnCallPerson:
    duties = tuple(
        Duty(days=frozenset(WEEK.index(day) for day in part.days), start=part.start, end=part.end) for part in one.duty
    )
    return OnCallPerson(name=one.name, phone=one.phone, duties=duties, estates=frozenset(one.estates))
