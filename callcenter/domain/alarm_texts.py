"""What our own people hear and read: the on-call person on the phone, everybody in notices.

A notice goes through somebody else's servers: it names the ticket and the limit, never the resident.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.escalation import Cause, Level
from callcenter.domain.spoken import spoken_place, spoken_ticket_number
from callcenter.domain.tickets import Place

ON_CALL_PROMPT = "收到请按1，已在现场请按2。"
ON_CALL_TIMES = 3
"""Said so often, while no key is pressed."""

_LEVELS: Mapping[Level, str] = {Level.AGENT: "经办人", Level.SUPERVISOR: "客服主管", Level.DEPUTY_MANAGER: "主管副总"}
_KINDS: Mapping[DeadlineKind, str] = {
    DeadlineKind.ON_SITE: "紧急到场",
    DeadlineKind.FIRST_REPLY: "投诉首次回复",
    DeadlineKind.SETTLED: "办结",
    DeadlineKind.PASSED_ON: "部门办结",
    DeadlineKind.FEEDBACK_REPLY: "答复反馈",
    DeadlineKind.PROMISE: "兑现承诺",
}
_CAUSES: Mapping[Cause, str] = {
    Cause.LIMIT_NEAR: "{what}即将超时",
    Cause.LIMIT_PASSED: "{what}已超时",
    Cause.EMERGENCY: "紧急事件",
    Cause.SERIOUS: "重大投诉",
    Cause.NOT_ACKNOWLEDGED: "{what}提醒无人确认",
    Cause.ON_CALL_SILENT: "紧急事件，值班人员均未确认",
}


def on_call_speech(*, company: str, reported: str | None, place: Place, ticket_number: str, unsure: bool) -> str:
    """What the on-call person hears: where first, then what, so that it can be acted on at once."""
    where = "地址不详，请向客服核实" if place.is_empty else spoken_place(place)
    kind = "疑似紧急事件，请先核实" if unsure else "紧急事件"
    what = f"，住户反映{reported}" if reported else ""
    return f"{company}{kind}：{where}{what}。工单号{spoken_ticket_number(ticket_number)}。请立即赶往现场。"


def notice_title(*, level: Level, cause: Cause, kind: DeadlineKind | None, ticket_number: str) -> str:
    what = _KINDS[kind] if kind is not None else "工单"
    return f"【{_LEVELS[level]}】{ticket_number} {_CAUSES[cause].format(what=what)}"


def notice_body(*, due_at: datetime | None, telling: int, address: str, zone: ZoneInfo) -> str:
    lines = [f"时限：{due_at.astimezone(zone):%m-%d %H:%M}"] if due_at is not None else []
    if telling > 1:
        lines.append(f"第 {telling} 次提醒，尚无人确认")
    return "\n".join([*lines, f"请登录确认：{address}"])
