"""The rules of following up, as the settings give them: handed to every use case that needs them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from callcenter.config import (
    AgentSettings,
    CalendarSettings,
    ConsoleSettings,
    FollowUpSettings,
    HoursRange,
    KindSettings,
    LimitSettings,
)
from callcenter.domain.calendar import TimeRange, WorkCalendar, common_hours
from callcenter.domain.counted_time import Counted
from callcenter.domain.deadlines import DeadlineKind, DeadlineRules, OwnLimit
from callcenter.domain.dialling import DiallingRules
from callcenter.domain.incidents import IncidentRules
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import RequestType, Urgency
from callcenter.domain.trunks import Trunk

SURE = 0.6
"""Below this confidence a value is shown to the reviewer and not written on the ticket."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpRules:
    """Everything that `open_ticket`, the reminders and the calls to residents go by."""

    calendar: WorkCalendar
    dialling: DiallingRules
    calendars: Mapping[str, WorkCalendar] = field(default_factory=dict)
    deadlines: DeadlineRules = field(default_factory=DeadlineRules)
    company: str = "物业"
    call_texts: dict[str, str] = field(default_factory=dict)
    agent_names: Mapping[str, str] = field(default_factory=dict)
    dialling_by_kind: Mapping[str, DiallingRules] = field(default_factory=dict)
    trunks: tuple[Trunk, ...] = (Trunk(name="main"),)
    satisfaction: timedelta = timedelta(minutes=30)
    satisfaction_again: timedelta = timedelta(days=3)
    appointment: timedelta = timedelta(hours=2)
    threshold: float = SURE
    missed_call: timedelta = timedelta(minutes=15)
    call_back_without_time: timedelta = timedelta(hours=2)
    claim_lapses: timedelta = timedelta(minutes=1)
    unfinished: timedelta = timedelta(minutes=5)
    no_outcome: timedelta = timedelta(hours=2)
    incidents: IncidentRules = field(default_factory=IncidentRules)
    somebody_is_free: Callable[[], bool] = lambda: True
    """Asked before a call that an agent must take."""

    @property
    def zone(self) -> ZoneInfo:
        return self.calendar.zone

    def calendar_of(self, estate: str | None) -> WorkCalendar:
        """The calendar with the estate's own office hours, where it has any."""
        return self.calendars.get(estate or "", self.calendar)

    def dialling_of(self, kind: str) -> DiallingRules:
        """The hours and days of this kind of call."""
        return self.dialling_by_kind.get(kind, self.dialling)

    def text_of(self, kind: str) -> str:
        return self.call_texts.get(kind) or reminder_kinds()[kind].text


def follow_up_rules(
    follow_up: FollowUpSettings,
    calendar: CalendarSettings,
    console: ConsoleSettings,
    agents: Sequence[AgentSettings] = (),
) -> FollowUpRules:
    """The rules from the settings. Raises ValueError naming a time limit that cannot be used."""
    days = WorkCalendar(
        zone=ZoneInfo(calendar.timezone),
        holidays=frozenset(calendar.holidays),
        working_days=frozenset(calendar.working_days),
        office_hours=_hours(calendar.office_hours),
    )
    dialling = DiallingRules(
        calendar=days,
        decent_hours=_hours(follow_up.decent_hours),
        attempts_per_topic=follow_up.attempts_per_topic,
        attempts_per_number_a_day=follow_up.attempts_per_number_a_day,
    )
    return FollowUpRules(
        calendar=days,
        dialling=dialling,
        dialling_by_kind=_by_kind(dialling, follow_up.kinds),
        calendars={
            name: replace(days, office_hours=_hours(own)) for name, own in calendar.office_hours_by_estate.items()
        },
        deadlines=DeadlineRules(
            first_reply=timedelta(hours=follow_up.complaint_first_reply_hours),
            own=tuple(_own_limit(one) for one in follow_up.limits),
        ),
        company=console.company,
        call_texts=dict(follow_up.call_texts),
        agent_names={agent.id: agent.name for agent in agents},
        trunks=tuple(Trunk(**trunk.model_dump()) for trunk in follow_up.trunks),
        satisfaction=timedelta(minutes=follow_up.satisfaction_minutes),
        satisfaction_again=timedelta(days=follow_up.satisfaction_again_days),
        appointment=timedelta(hours=follow_up.appointment_hours),
        missed_call=timedelta(minutes=follow_up.missed_call_minutes),
        incidents=IncidentRules(
            enabled=follow_up.incidents.enabled,
            window=timedelta(minutes=follow_up.incidents.window_minutes),
            suggested_from=follow_up.incidents.suggested_from_homes,
            formed_from=follow_up.incidents.formed_from_homes,
            categories=frozenset(follow_up.incidents.categories),
        ),
    )


def _hours(ranges: Sequence[HoursRange]) -> tuple[TimeRange, ...]:
    return tuple(TimeRange(start=part.start, end=part.end) for part in ranges)


def _by_kind(dialling: DiallingRules, settings: Mapping[str, KindSettings]) -> dict[str, DiallingRules]:
    """The kinds that differ from the rest: by their own rule within the decent hours, or by the settings."""
    found = {}
    for name, kind in reminder_kinds().items():
        own = settings.get(name, KindSettings())
        hours = _hours(own.hours) or common_hours(kind.hours or dialling.decent_hours, dialling.decent_hours)
        rules = replace(dialling, decent_hours=hours, days=own.days or kind.days)
        if kind.ordered_by_agent:
            rules = replace(rules, attempts_per_topic=1)
        if rules != dialling:
            found[name] = rules
    return found


def _own_limit(limit: LimitSettings) -> OwnLimit:
    """Raises ValueError naming a type of request that there is not."""
    known = ", ".join(RequestType)
    if limit.request_type is not None and limit.request_type not in set(RequestType):
        raise ValueError(f"follow_up.limits: request_type = {limit.request_type!r}: use one of {known}")
    return OwnLimit(
        kind=DeadlineKind(limit.kind),
        length=timedelta(hours=limit.hours),
        counted=Counted(limit.counted),
        request_type=RequestType(limit.request_type) if limit.request_type else None,
        urgency=Urgency(limit.urgency) if limit.urgency else None,
        category=limit.category,
    )
