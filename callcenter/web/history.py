"""The history of a ticket in sentences: who did what when, days apart, the machine's own lines told from people's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from callcenter.db.tickets import TicketHistoryRow
from callcenter.domain.reasons import reason_text
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.web.causes import cause_words
from callcenter.web.fields import written
from callcenter.web.names import Names
from callcenter.web.rendering import Reader


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryLine:
    """`day` is set on the first line of each day; `quote` is what a person wrote, in their words."""

    at: datetime
    by: str
    by_machine: bool
    words: str
    quote: str | None
    call_id: str | None
    day: str | None


def history_lines(rows: Iterable[TicketHistoryRow], reader: Reader, named: Names) -> tuple[HistoryLine, ...]:
    lines = []
    last: date | None = None
    for row in rows:
        day = reader.formats.local(row.at).date()
        quote = row.data.get("text") if row.action in ("note", "resident_called") else None
        lines.append(
            HistoryLine(
                at=row.at,
                by=named(row.actor),
                by_machine=row.actor == "system",
                words=_words(row, reader, named),
                quote=str(quote) if quote else None,
                call_id=row.data.get("call_id"),
                day=reader.formats.dated_day(row.at) if day != last else None,
            )
        )
        last = day
    return tuple(lines)


def _words(row: TicketHistoryRow, reader: Reader, named: Names) -> str:
    say, data = reader.catalog.gettext, row.data
    match row.action:
        case "opened":
            return _opened(data, reader)
        case "repeat_call":
            return _repeat_call(data, reader)
        case "field_corrected":
            return _corrected(data, reader)
        case "words_corrected":
            return say("改字：“%(before)s” → “%(after)s”。", before=data.get("from", ""), after=data.get("to", ""))
        case "fields_confirmed":
            return say("确认全部字段。")
        case "assigned":
            return say("派单给%(name)s。", name=named(data.get("owner") or data.get("to")))
        case "status_changed":
            return _status(data, reader)
        case "note":
            return say("备注：")
        case "attached":
            return say("加文件：%(name)s。", name=data.get("name", ""))
        case "detached":
            return say("删文件：%(name)s。", name=data.get("name", ""))
        case "promised":
            return say("承诺：%(text)s。", text=_promise(data, reader))
        case "passed_on":
            return say("转部门办理：%(text)s。", text=data.get("department") or data.get("to") or "")
        case "arrived":
            return say("到场，来电按键。") if data.get("by_phone") else say("到场。")
        case "incident_linked":
            return say("归入事件 %(number)s。", number=data.get("incident", ""))
        case "incident_left":
            return say("移出事件 %(number)s。", number=data.get("incident", ""))
        case "made_of_problem" if data.get("into"):
            return say("通话中的另一件事另建工单 %(number)s。", number=data["into"])
        case "made_of_problem":
            return say("由 %(number)s 通话中的另一件事建立。", number=data.get("from", ""))
        case "merged" | "unmerged" | "split":
            return _joined(row.action, data, reader)
        case "escalated" | "escalation_acknowledged" | "on_call_phoned" | "on_call_acknowledged" | "on_call_silent":
            return _alarmed(row.action, data, reader)
        case _:
            return _reminder(row.action, data, reader)


def _joined(action: str, data: Mapping[str, Any], reader: Reader) -> str:
    """Merged, taken apart again, or a call taken out: seen from either ticket."""
    say = reader.catalog.gettext
    match action:
        case "merged" if data.get("into"):
            return say("作为重复工单并入 %(number)s。", number=data["into"])
        case "merged":
            return say("并入重复工单 %(number)s。", number=data.get("from", ""))
        case "unmerged" if data.get("out"):
            return say("撤销合并，%(number)s 恢复为单独工单。", number=data["out"])
        case "unmerged":
            return say("撤销与 %(number)s 的合并。", number=data.get("from", ""))
        case _ if data.get("into"):
            return say("一通来电拆出，另建工单 %(number)s。", number=data["into"])
        case _:
            return say("由 %(number)s 拆出的来电建立。", number=data.get("from", ""))


def _alarmed(action: str, data: Mapping[str, Any], reader: Reader) -> str:
    say = reader.catalog.gettext
    match action:
        case "escalated":
            what = reader.labels("deadline", data.get("deadline"))
            cause = cause_words(str(data.get("cause", "")), what, reader)
            return say("第 %(level)s 级上报：%(cause)s。", level=data.get("level", ""), cause=cause)
        case "escalation_acknowledged":
            return say("已知晓第 %(level)s 级上报。", level=data.get("level", ""))
        case "on_call_phoned":
            return say(
                "打值班电话：%(person)s，第 %(number)s 次。",
                person=data.get("person", ""),
                number=data.get("attempt", ""),
            )
        case "on_call_acknowledged":
            return say("应答值班电话，接手。") if data.get("call_id") else say("接手紧急工单。")
        case _:
            return say("没有排值班。") if data.get("reason") == "nobody_on_call" else say("值班电话都打过，无人应答。")


def _opened(data: Mapping[str, Any], reader: Reader) -> str:
    say = reader.catalog.gettext
    if data.get("must_listen"):
        return say("按来电生成工单，须听录音：%(reason)s。", reason=listen_reason(data["must_listen"], reader))
    missing = data.get("missing") or []
    if missing:
        fields = say("、").join(reader.labels("field", name.split(".")[0]) for name in missing)
        return say("按通话生成工单，待核：%(fields)s。", fields=fields)
    return say("按通话生成工单，各项都有把握。")


def _repeat_call(data: Mapping[str, Any], reader: Reader) -> str:
    say = reader.catalog.gettext
    before, after = (data.get("urgency") or [None, None])[:2]
    words = say("住户再次来电，第 %(number)s 次。", number=data.get("call_count", "?"))
    if after and before != after:
        change = f"{reader.labels('urgency', before) or '–'} → {reader.labels('urgency', after)}"
        words += say("紧急程度 %(change)s。", change=change)
    return words


def _corrected(data: Mapping[str, Any], reader: Reader) -> str:
    name = str(data.get("field", ""))
    kind = name.split(".")[0]
    before = written(kind, data.get("before") or data.get("from") or data.get("old"), reader)
    after = written(kind, data.get("after") or data.get("to") or data.get("new") or data.get("value"), reader)
    return reader.catalog.gettext(
        "改“%(field)s”：%(before)s → %(after)s。",
        field=reader.labels("field", kind),
        before=before or "–",
        after=after or "–",
    )


def _status(data: Mapping[str, Any], reader: Reader) -> str:
    before = reader.labels("status", data.get("before") or data.get("from"))
    after = reader.labels("status", data.get("after") or data.get("to") or data.get("status"))
    words = f"{before} → {after}" if before else after
    reason = data.get("note") or data.get("reason")
    return reader.catalog.gettext("状态 %(change)s。", change=words) + (f" {reason}" if reason else "")


def _promise(data: Mapping[str, Any], reader: Reader) -> str:
    due = data.get("due_at") or data.get("due")
    text = data.get("text") or reader.labels("promise", data.get("kind"))
    if not due:
        return str(text)
    return f"{text}·{reader.formats.when(datetime.fromisoformat(str(due)))}"


def _reminder(action: str, data: Mapping[str, Any], reader: Reader) -> str:
    """Calls of ours to the resident: planned, made, given up."""
    say, language = reader.catalog.gettext, reader.catalog.language
    kind = reminder_kinds().get(str(data.get("kind", "")))
    name = (kind.label_zh if language == "zh" else kind.label_en) if kind else str(data.get("kind", ""))
    reason = reason_text(str(data["reason"]), "zh" if language == "zh" else "en") if data.get("reason") else ""
    outcome = reader.labels("outbound", data.get("outcome"))
    due = data.get("due_at")
    match action:
        case "reminder_planned":
            at = reader.formats.when(datetime.fromisoformat(str(due))) if due else "–"
            return say("安排外呼：%(name)s，%(time)s。", name=name, time=at)
        case "resident_called" if data.get("by_person"):
            return say("已联系住户。")
        case "resident_called":
            return say("已外呼住户：%(name)s，%(outcome)s。", name=name, outcome=outcome or reason)
        case "resident_answered":
            answer = reader.labels("answer", str(data.get("answer", "")).partition(":")[0])
            return say("住户按键答复：%(name)s，%(answer)s。", name=name, answer=answer)
        case "handed_over":
            return say("外呼转人工：%(name)s。%(reason)s", name=name, reason=reason)
        case "reminder_cancelled":
            words = say("取消外呼：%(name)s。%(reason)s", name=name, reason=reason)
            never = say("没有答应过，期限一并取消。") if data.get("never_promised") else ""
            return f"{words} {never}".strip()
        case _:
            return action


def listen_reason(reason: str, reader: Reader) -> str:
    """In words; what the understanding only notes beside its reasons (a field that is unsure) is told elsewhere."""
    reasons = reason.split("; ")
    told = [known for one in reasons if (known := _told_reason(one, reader)) is not None]
    return reader.catalog.gettext("；").join(told) if told else reason


def _told_reason(reason: str, reader: Reader) -> str | None:
    say, language = reader.catalog.gettext, reader.catalog.language
    kind, _, key = reason.partition(":")
    if kind == "dialect":
        spoken = next((one for one in reader.catalog.rules().dialects if one.key == key), None)
        label = (spoken.zh if language == "zh" else spoken.en) if spoken else key
        return say("像是方言（%(dialect)s）", dialect=label)
    return {
        "nothing_said": say("录音里没有人说话"),
        "not_understood": say("没有听懂"),
        "nothing_understood": say("没有听懂"),
        "heard_badly": say("听不清楚"),
        "resident_said_nothing": say("住户没有说话"),
        "too_long": say("通话太长，没有全部读完"),
    }.get(kind)
