"""One day at the hotline, told in rows: what most tests and every screenshot look at."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketHistoryRow
from tests.web.factory import (
    Ring,
    Story,
    call_rows,
    evidence,
    field_row,
    recording_rows,
    save,
    ticket,
    user,
)

LEAK = "GD-1124-0001"
NOISE = "GD-1124-0002"
SILENT = "GD-1124-0003"

LEAK_SAID = (
    ("agent", 0.0, 2.4, "您好，翠湖物业客服中心，我姓李，请问有什么可以帮助您？"),
    ("resident", 2.8, 6.0, "我家厨房顶上漏水，昨天就报过一次了，没人来。"),
    ("agent", 6.4, 8.0, "对不起，请问您是哪一栋哪一户？"),
    ("resident", 8.4, 11.0, "三栋二单元五零一，我姓王，水都滴到配电箱上了。"),
    ("agent", 17.5, 20.0, "王女士，我马上安排水电师傅，半小时内给您回电。"),
    ("resident", 20.4, 21.6, "好，你们快一点。"),
    ("agent", 22.0, 23.2, "感谢您的来电，再见。"),
)
NOISE_SAID = (
    ("agent", 0.0, 2.0, "上午好，翠湖物业客服中心，我姓赵。"),
    ("resident", 2.4, 6.4, "我要投诉啊，楼上天天装修，礼拜天也不停。"),
    ("resident", 7.0, 10.0, "我十五栋二零四的，姓周，我老婆上夜班，白天根本睡不了。"),
    ("agent", 10.5, 13.0, "周先生，我请秩序部现在就上门，今天下午五点半前给您回电话。"),
)


def people(now: datetime) -> list[Any]:
    return [
        user("hewen", "何雯", "supervisor", now),
        user("lijia", "李佳", "agent", now, agent_id="li"),
        user("zhaoqiang", "赵强", "agent", now, agent_id="zhao"),
        user("root", "管理员", "admin", now),
    ]


def leak(now: datetime, folder: Path) -> list[Any]:
    at = now - timedelta(minutes=18)
    story = Story(
        call_id="CA-leak",
        at=at,
        rings=(Ring(agent="sun", start=2.0, seconds=5.6, outcome="refused"), Ring(agent="li", start=7.7, seconds=11.4)),
        talk_seconds=23.6,
        said=LEAK_SAID,
    )
    row = ticket(
        1,
        LEAK,
        "CA-leak",
        at,
        summary="厨房顶部漏水，滴到配电箱",
        urgency="emergency",
        building="3",
        unit="2",
        room="501",
        contact="王女士",
        owner="li",
        call_count=2,
        status="in_progress",
    )
    heard = [
        field_row(1, "request_type", "repair", 0.99, evidence(story, "漏水")),
        field_row(1, "category", "plumbing", 0.97, evidence(story, "漏水")),
        field_row(1, "urgency", "emergency", 0.95, evidence(story, "水都滴到配电箱上了")),
        field_row(1, "place", "3栋2单元501", 0.93, evidence(story, "三栋二单元五零一")),
        field_row(1, "contact", "王女士", 0.9, evidence(story, "王女士")),
        field_row(1, "promise.1", "半小时内给您回电 @ 2026-11-24 10:12", 0.88, evidence(story, "半小时内给您回电")),
        field_row(1, "summary", "厨房顶部漏水，滴到配电箱", 0.9, []),
        field_row(1, "problem.1", "plumbing repair emergency：厨房顶上漏水", 0.9, evidence(story, "漏水")),
        field_row(1, "problem.2", "power repair urgent：水滴到配电箱上", 0.9, evidence(story, "配电箱")),
        field_row(1, "demand.1", "你们快一点", 0.9, evidence(story, "你们快一点")),
        field_row(1, "call.solved", "no", 0.8, []),
    ]
    promise = evidence(story, "半小时内给您回电")
    limits = [
        _limit(1, "promise", "call_back", now + timedelta(minutes=12), text="半小时内给您回电", found=promise),
        _limit(1, "on_site", "emergency", at + timedelta(minutes=3), met=at + timedelta(minutes=2)),
        _limit(1, "promise", "visit", now - timedelta(hours=1, minutes=20), text="上午上门"),
        _limit(1, "first_reply", "complaint", now + timedelta(hours=9)),
    ]
    told = [
        _told(1, at + timedelta(seconds=90), "li", "opened", call_id="CA-leak", missing=[], must_listen=None),
        _told(1, at + timedelta(minutes=2), "lijia", "arrived"),
        _told(
            1,
            at + timedelta(minutes=4),
            "system",
            "reminder_planned",
            kind="call_back_promised",
            due_at=now.isoformat(),
        ),
        _told(1, at + timedelta(minutes=6), "hewen", "note", text="601 卫生间角阀裂，已关阀。\n501 配电箱断电烘干。"),
        _told(1, at - timedelta(hours=15), "lijia", "assigned", to="li"),
    ]
    link = TicketCallRow(ticket_id=1, call_id="CA-leak", relation="first")
    return [*call_rows(story), *recording_rows(story, folder), row, *heard, *limits, *told, link]


def noise(now: datetime, folder: Path) -> list[Any]:
    at = now - timedelta(minutes=52)
    story = Story(
        call_id="CA-noise",
        at=at,
        rings=(Ring(agent="zhao", start=1.5, seconds=12.1),),
        talk_seconds=14,
        from_number="+8613600019052",
        said=NOISE_SAID,
    )
    row = ticket(
        2,
        NOISE,
        "CA-noise",
        at,
        request_type="complaint",
        category="renovation",
        summary="楼上周日装修电钻，白天无法休息",
        caller_number="+8613600019052",
        contact="周先生",
        owner="zhao",
        needs_review=True,
    )
    heard = [
        field_row(2, "request_type", "complaint", 0.99, evidence(story, "投诉")),
        field_row(2, "category", "renovation", 0.93, evidence(story, "装修")),
        field_row(2, "urgency", "normal", 0.91, []),
        field_row(2, "place", "15栋204", 0.41, evidence(story, "十五栋二零四")),
        field_row(2, "contact", "周先生", 0.95, evidence(story, "姓周")),
        field_row(
            2, "promise.1", "今天下午五点半前给您回电话 @ 2026-11-24 17:30", 0.55, evidence(story, "今天下午五点半前")
        ),
        field_row(2, "summary", "楼上周日装修电钻，白天无法休息", 0.8, []),
    ]
    limits = [
        _limit(2, "first_reply", "complaint", at + timedelta(hours=24)),
        _limit(2, "settled", "complaint_same_day", now.replace(hour=16, minute=0)),
    ]
    told = [_told(2, at + timedelta(seconds=80), "zhao", "opened", call_id="CA-noise", missing=["place"])]
    link = TicketCallRow(ticket_id=2, call_id="CA-noise", relation="first")
    return [*call_rows(story), *recording_rows(story, folder), row, *heard, *limits, *told, link]


def silent(now: datetime, folder: Path) -> list[Any]:
    at = now - timedelta(minutes=75)
    story = Story(
        call_id="CA-silent",
        at=at,
        rings=(Ring(agent="zhao", start=1.0, seconds=20.0, outcome="rang_out"),),
        voice_mail=True,
        talk_seconds=6,
        from_number="+8613700011111",
    )
    row = ticket(
        3,
        SILENT,
        "CA-silent",
        at,
        request_type=None,
        category=None,
        urgency=None,
        caller_number="+8613700011111",
        must_listen=True,
        must_listen_reason="nothing_said",
        needs_review=True,
    )
    told = [_told(3, at + timedelta(seconds=80), "system", "opened", call_id="CA-silent", must_listen="nothing_said")]
    link = TicketCallRow(ticket_id=3, call_id="CA-silent", relation="first")
    return [*call_rows(story), *recording_rows(story, folder), row, *told, link]


def others(now: datetime) -> list[Any]:
    """Calls that only the answering page tells of, over the morning, and a few more tickets."""
    rows: list[Any] = []
    agents = ("li", "zhao", "sun", "chen")
    seconds = (3.2, 6.4, 8.8, 11.9, 4.1, 13.6, 2.2, 7.5, 9.9, 5.3)
    for number in range(36):
        at = now.replace(minute=0) - timedelta(minutes=9 * number + 3)
        rows += call_rows(
            Story(
                call_id=f"CA-{number:03}",
                at=at,
                rings=(Ring(agent=agents[number % 4], start=1.2, seconds=seconds[number % 10]),),
                talk_seconds=40 + 7 * (number % 9),
                from_number=f"+86139000{number:05}",
            )
        )
    late = Ring(agent="chen", start=1.5, seconds=26.4)
    open_one = Ring(agent="li", start=2.0, seconds=15.0)
    given_up = Ring(agent="zhao", start=1.0, seconds=31.8, outcome="cancelled")
    rows += call_rows(Story(call_id="CA-late", at=now - timedelta(minutes=33), rings=(late,)))
    rows += call_rows(Story(call_id="CA-open", at=now - timedelta(minutes=41), rings=(open_one,), whole_seconds=True))
    rows += call_rows(Story(call_id="CA-left", at=now - timedelta(minutes=63), rings=(given_up,)))
    matters = (
        ("地下一层 B 区积水，车过溅起", "repair", "plumbing", "urgent", "9", "solved"),
        ("电梯关门异响", "repair", "lift", "urgent", "5", "open"),
        ("水费账单多出 14 吨", "enquiry", "fees", "normal", "7", "assigned"),
        ("感谢保洁师傅捡到钥匙", "praise", "cleaning", "normal", "2", "closed"),
    )
    for number, (summary, kind, category, urgency, building, status) in enumerate(matters):
        columns = {
            "summary": summary,
            "request_type": kind,
            "category": category,
            "urgency": urgency,
            "status": status,
            "caller_number": f"+86139000{number:05}",
        }
        made = ticket(10 + number, f"GD-1123-{number + 7:04}", f"CA-{number:03}", now - timedelta(hours=20), **columns)
        made.building, made.room, made.contact, made.owner = building, "302", "何女士", ("li", None)[number % 2]
        rows += [made, TicketCallRow(ticket_id=made.id, call_id=f"CA-{number:03}", relation="first")]
    rows.append(_limit(11, "promise", "visit", now - timedelta(days=1, hours=3), text="昨天上门"))
    rows.append(_limit(12, "promise", "reply", now + timedelta(days=1, hours=2), text="明天中午前答复"))
    return rows


def _limit(
    ticket_id: int,
    kind: str,
    basis: str,
    due: datetime,
    *,
    text: str | None = None,
    met: datetime | None = None,
    found: list[dict[str, Any]] | None = None,
) -> TicketDeadlineRow:
    return TicketDeadlineRow(
        ticket_id=ticket_id, kind=kind, basis=basis, due_at=due, text=text, met_at=met, evidence=found or []
    )


def _told(ticket_id: int, at: datetime, actor: str, action: str, **data: Any) -> TicketHistoryRow:
    return TicketHistoryRow(ticket_id=ticket_id, at=at, actor=actor, action=action, data=data)


async def a_day(database: Database, now: datetime, folder: Path) -> None:
    await save(database, *people(now), *leak(now, folder), *noise(now, folder), *silent(now, folder), *others(now))
