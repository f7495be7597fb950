"""The band of alarms above every page, in words: what, since when, who was phoned and who has it in hand."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from callcenter.db.on_call import OnCallAttemptRow
from callcenter.db.users import Role
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.escalation import Level
from callcenter.domain.on_call import ACKNOWLEDGE_KEY, ARRIVED_KEY, AlarmEnd, AlarmState
from callcenter.reports.alarms import Alarm, Asker, Emergency, ToldMatter, read_alarms
from callcenter.services.users import User
from callcenter.web import deadlines
from callcenter.web.causes import cause_words
from callcenter.web.fields import place_of
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.names import Names
from callcenter.web.rendering import Reader

SHOWN = 3
"""So many lines are open; the rest folds away, so that the page under the band can still be read."""

LEVELS_OF_ROLE = {
    Role.AGENT: frozenset[Level](),
    Role.SUPERVISOR: frozenset({Level.SUPERVISOR, Level.DEPUTY_MANAGER}),
    Role.ADMIN: frozenset({Level.SUPERVISOR, Level.DEPUTY_MANAGER}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Phoned:
    """One call to an on-call person and its shape: run / ok / bad."""

    at: datetime
    person: str
    shape: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmLine:
    """One ticket in the band. `alarm_id` and `escalation_ids` are what its button acknowledges: what was seen."""

    ticket_number: str
    title: str
    is_emergency: bool
    since: datetime
    due_at: datetime | None
    level: int
    causes: tuple[str, ...]
    phoned: tuple[Phoned, ...]
    in_hand: str | None
    nobody: str | None
    alarm_id: int | None
    escalation_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmBand:
    shown: tuple[AlarmLine, ...]
    folded: tuple[AlarmLine, ...]


async def alarms_of(request: web.Request, user: User) -> tuple[Alarm, ...]:
    """What this person is to know: by their role, their tickets, and their name among those who are told."""
    named = {
        Level(one.level)
        for one in request.app[SETTINGS].notify
        if one.name in (user.name, user.login) and one.agent is None
    }
    asker = Asker(keys=user.keys, levels=LEVELS_OF_ROLE[user.role] | named)
    return await read_alarms(request.app[DATABASE], asker)


def band(alarms: tuple[Alarm, ...], reader: Reader, named: Names) -> AlarmBand:
    lines = tuple(_line(alarm, reader, named) for alarm in alarms)
    shown = SHOWN if len(lines) > SHOWN + 1 else len(lines)
    return AlarmBand(shown=lines[:shown], folded=lines[shown:])


def _line(alarm: Alarm, reader: Reader, named: Names) -> AlarmLine:
    ticket, emergency = alarm.ticket, alarm.emergency
    matter = ticket.summary or reader.catalog.gettext("没有听出事由")
    return AlarmLine(
        ticket_number=ticket.number,
        title=f"{place_of(ticket)} {matter}".strip(),
        is_emergency=emergency is not None,
        since=alarm.since,
        due_at=emergency.deadline.due_at if emergency else _earliest_due(alarm.told),
        level=alarm.level,
        causes=_causes(alarm.told, reader),
        phoned=tuple(_phoned(one, reader) for one in emergency.phoned) if emergency else (),
        in_hand=_in_hand(emergency, reader, named) if emergency else None,
        nobody=_nobody(emergency, reader) if emergency else None,
        alarm_id=_to_acknowledge(emergency) if emergency else None,
        escalation_ids=tuple(one.escalation.id for one in alarm.told),
    )


def _earliest_due(told: tuple[ToldMatter, ...]) -> datetime | None:
    return min((one.deadline.due_at for one in told if one.deadline), default=None)


def _causes(told: tuple[ToldMatter, ...], reader: Reader) -> tuple[str, ...]:
    """Each cause once, the highest level's first."""
    return tuple(dict.fromkeys(_cause(one, reader) for one in told))


def _cause(one: ToldMatter, reader: Reader) -> str:
    what = deadlines.title(one.deadline, reader) if one.deadline else ""
    return cause_words(one.escalation.cause, what, reader)


def _phoned(attempt: OnCallAttemptRow, reader: Reader) -> Phoned:
    say = reader.catalog.gettext
    key = (attempt.keys or "")[-1:]
    if key in (ACKNOWLEDGE_KEY, ARRIVED_KEY):
        shape, words = "ok", say("已按键应答")
    elif attempt.outcome is None:
        shape, words = "run", say("正在拨打")
    elif attempt.outcome == OutboundOutcome.REACHED:
        shape, words = "bad", say("接了没有按键")
    else:
        shape, words = "bad", reader.labels("outbound", attempt.outcome)
    return Phoned(at=attempt.at, person=attempt.person, shape=shape, words=words)


def _in_hand(emergency: Emergency, reader: Reader, named: Names) -> str | None:
    alarm = emergency.alarm
    if alarm is None or alarm.acknowledged_at is None:
        return None
    at = reader.formats.clock(alarm.acknowledged_at)
    return reader.catalog.gettext("%(name)s %(time)s 接手", name=named(alarm.acknowledged_by), time=at)


def _nobody(emergency: Emergency, reader: Reader) -> str | None:
    """Nobody will come by themselves: said as what it is."""
    alarm, say = emergency.alarm, reader.catalog.gettext
    if alarm is None or alarm.state != AlarmState.SILENT:
        return None
    if alarm.reason == AlarmEnd.NOBODY_ON_CALL:
        return say("没有排值班，没有人接到电话")
    return say("值班电话都打过，无人应答")


def _to_acknowledge(emergency: Emergency) -> int | None:
    alarm = emergency.alarm
    return alarm.id if alarm is not None and alarm.acknowledged_at is None and alarm.ended_at is None else None
