"""Calls that we owe, as a page shows them: what each is called, how it stands, what became of each try."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.db.reminders import ReminderAttemptRow, ReminderState
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.reasons import Language, reason_text
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.reports.reminders import Group, OwedCall
from callcenter.services.end_reminder import standing_of
from callcenter.web.deadlines import Standing, short
from callcenter.web.fields import place_of
from callcenter.web.language import N_
from callcenter.web.rendering import Reader

GROUPS = {
    Group.HANDED_OVER: N_("要人工联系"),
    Group.OVERDUE: N_("已过时"),
    Group.UNDER_WAY: N_("正在拨打"),
    Group.WAITING: N_("等待拨打"),
    Group.HELD: N_("群呼未开始"),
    Group.DONE: N_("今天完成"),
}
"""The order and the words of the page's sections."""

STILL_OWED = (Group.HANDED_OVER, Group.OVERDUE, Group.WAITING, Group.HELD)
"""Nobody's phone rings for these at this moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Try:
    at: datetime
    number: int
    shape: str
    words: str
    keys: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OwedView:
    """One row; `can_call` and `can_end` say which steps are offered, `seen` how it stood when they were."""

    call: OwedCall
    kind: str
    who: str
    what: str
    when: str
    stands: Standing
    why: str
    tries: tuple[Try, ...]
    can_call: bool
    can_end: bool
    seen: str


def language_of(reader: Reader) -> Language:
    return "zh" if reader.catalog.language == "zh" else "en"


def kind_name(kind: str, reader: Reader) -> str:
    """The kind's own label, which stands in its file."""
    known = reminder_kinds().get(kind)
    if known is None:
        return kind
    return known.label_zh if language_of(reader) == "zh" else known.label_en


def owed_view(call: OwedCall, reader: Reader) -> OwedView:
    reminder, ticket = call.reminder, call.ticket
    matter = reminder.matter or {}
    return OwedView(
        call=call,
        kind=kind_name(reminder.kind, reader),
        who=(ticket.contact if ticket else None) or str(matter.get("name") or ""),
        what=_what(call, reader),
        when=reader.formats.when(reminder.due_at),
        stands=_standing(call, reader),
        why=reason_text(reminder.reason, language_of(reader)) if reminder.reason else "",
        tries=tuple(_try(one, reader) for one in call.attempts),
        can_call=call.ticket is not None and call.group in STILL_OWED,
        can_end=call.group in STILL_OWED,
        seen=standing_of(reminder),
    )


def _what(call: OwedCall, reader: Reader) -> str:
    if call.ticket is None:
        return str((call.reminder.matter or {}).get("place") or "")
    matter = call.ticket.summary or reader.catalog.gettext("没有听出事由")
    return f"{place_of(call.ticket)} {matter}".strip()


def _standing(call: OwedCall, reader: Reader) -> Standing:
    say, f, reminder = reader.catalog.gettext, reader.formats, call.reminder
    match call.group:
        case Group.HANDED_OVER:
            return Standing(kind="bad", words=say("要人工联系"))
        case Group.OVERDUE:
            limit = min(reminder.due_at, reminder.promised_for or reminder.due_at)
            return Standing(kind="bad", words=say("超期 %(length)s", length=f.length(max(reader.now - limit, _NONE))))
        case Group.UNDER_WAY:
            return Standing(kind="run", words=say("正在拨打"))
        case Group.HELD:
            return Standing(kind="und", words=say("群呼未开始"))
        case Group.WAITING:
            return Standing(kind="run", words=say("%(time)s 拨打", time=short(reminder.due_at, f)))
        case Group.DONE if reminder.state == ReminderState.HANDED_OVER:
            return Standing(kind="ok", words=say("已由人工处理"))
        case Group.DONE:
            done = reminder.state == ReminderState.DONE
            at = short(reminder.finished_at, f) if reminder.finished_at else ""
            words = say("%(time)s 完成", time=at) if done else say("%(time)s 取消", time=at)
            return Standing(kind="ok" if done else "none", words=words)


_NONE = timedelta()


def _try(attempt: ReminderAttemptRow, reader: Reader) -> Try:
    shape = {None: "run", OutboundOutcome.REACHED.value: "ok", "uncertain": "und", OutboundOutcome.UNKNOWN.value: "und"}
    return Try(
        at=attempt.at,
        number=attempt.number,
        shape=shape.get(attempt.outcome, "bad"),
        words=reader.labels("outbound", attempt.outcome or OutboundOutcome.UNDER_WAY),
        keys=attempt.keys,
    )
