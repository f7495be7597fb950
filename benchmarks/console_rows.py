"""The rows of a hotline's last months, for the console to show: calls with a leg each, tickets with what was said."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import insert, text

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.escalations import EscalationRow
from callcenter.db.recordings import RecordingRow, SegmentRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketFieldRow, TicketRow
from callcenter.domain.counted_calls import Counting
from callcenter.domain.rings import RingRule
from callcenter.reports.count_days import count_all_anew
from callcenter.services.search_index import index_tickets

DAYS = 120
AGENTS = [f"agent{number}" for number in range(20)]
RULE = RingRule()
MATTERS = (("厨房水管漏水", "plumbing"), ("电梯关门异响", "lift"), ("楼道灯不亮", "power"), ("楼上装修噪音", "noise"))


def rows(calls: int, now: datetime) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """A call and its leg; nine of ten answered, in 1 to 25 s of ringing."""
    dice = random.Random(1)
    for number in range(calls):
        at = now - timedelta(days=DAYS * (1 - number / calls))
        ring = dice.randrange(1000, 25_000)
        answered, agent = dice.random() < 0.9, dice.choice(AGENTS)
        talk = dice.randrange(20_000, 400_000)
        verdict = ("within" if ring < RULE.limit_ms else "late") if answered else None
        times = {"started_at": at, "answered_at": at + timedelta(milliseconds=ring + 2000) if answered else None}
        ringing = {
            "ring_low_ms": ring,
            "ring_high_ms": ring,
            "rings_low": ring // 5000 + 1,
            "rings_high": ring // 5000 + 1,
        }
        call = {
            "id": f"CA{number}",
            "provider": "twilio",
            "direction": "inbound",
            "to_number": "+8657100000001",
            "ended_at": at + timedelta(milliseconds=ring + talk),
            "last_event_at": at,
            "disposition": "answered" if answered else "abandoned",
            "answered_by": agent if answered else None,
            "verdict": verdict,
            "rule": RULE.version,
            "answer_speed_low_ms": ring + 1000 if answered else None,
            "answer_speed_high_ms": ring + 1000 if answered else None,
            "wait_low_ms": ring + 1000,
            "wait_high_ms": ring + 1000,
            "talk_low_ms": talk if answered else None,
            "talk_high_ms": talk if answered else None,
            "event_count": 6,
        }
        leg = {
            "call_id": call["id"],
            "leg_id": f"LEG{number}",
            "agent": agent,
            "outcome": "answered" if answered else "cancelled",
            "initiated_at": at,
            "ringing_at": at + timedelta(seconds=1),
            "verdict": verdict,
        }
        yield call | times | ringing, leg | ringing


def tickets(count: int, calls: int, now: datetime) -> Iterator[list[tuple[type[Any], dict[str, Any]]]]:
    """A ticket with its call, a field, a deadline and two sentences; one of a hundred is open."""
    dice = random.Random(2)
    for number in range(1, count + 1):
        at = now - timedelta(days=DAYS * (1 - number / count))
        summary, category = dice.choice(MATTERS)
        call, is_open = f"CA{number * calls // count - 1}", number % 100 == 0
        row = {
            "id": number,
            "number": f"GD-{number:08}",
            "first_call_id": call,
            "status": "open" if is_open else "closed",
            "request_type": dice.choice(("repair", "complaint", "enquiry")),
            "category": category,
            "urgency": "normal",
            "building": str(dice.randrange(1, 40)),
            "room": f"{dice.randrange(1, 30)}0{dice.randrange(1, 5)}",
            "caller_number": f"+86139{dice.randrange(10**7, 10**8)}",
            "summary": summary,
            "owner": dice.choice(AGENTS),
            "needs_review": is_open and number % 300 == 0,
            "created_at": at,
            "updated_at": at,
        }
        recording = {
            "id": f"RE{number}",
            "call_id": call,
            "provider": "twilio",
            "url": "https://api.example.com/x",
            "content": "conversation",
            "channels": 2,
            "ready_at": at,
            "state": "transcribed",
            "transcribed_at": at,
            "duration_ms": 20000,
        }
        said = [
            ("agent", "您好，物业客服中心，请问有什么可以帮助您？"),
            ("resident", f"{summary}，你们快来看看，都两天了。"),
        ]
        segments = [
            {
                "recording_id": f"RE{number}",
                "number": place,
                "call_id": call,
                "side": side,
                "start_ms": place * 4000,
                "end_ms": place * 4000 + 3000,
                "text": words,
                "words": [],
            }
            for place, (side, words) in enumerate(said)
        ]
        field = {"ticket_id": number, "field": "category", "state": "heard", "heard": category, "value": category}
        escalation = {
            "topic": f"ticket:{number}",
            "level": 1,
            "cause": "due",
            "ticket_id": number,
            "created_at": at,
            "next_at": at,
            "told_at": at,
            "tellings": 1,
            "acknowledged_at": None if is_open else at,
        }
        deadline = {"ticket_id": number, "kind": "settled", "basis": "complaint_same_day", "due_at": at}
        yield [
            (TicketRow, row),
            (TicketCallRow, {"ticket_id": number, "call_id": call, "relation": "first"}),
            (TicketFieldRow, field | {"confidence": 0.5 if number % 300 == 0 else 0.9}),
            (TicketDeadlineRow, deadline | {"met_at": None if is_open else at}),
            (RecordingRow, recording),
            *((SegmentRow, segment) for segment in segments),
            *([(EscalationRow, escalation)] if number % 10 == 0 else ()),
        ]


async def fill(database: Database, calls: int, ticket_count: int, *, now: datetime, counting: Counting) -> None:
    """As a server that has run all the while would have left them: indexed for the search, days counted."""
    source = rows(calls, now)
    while batch := list(islice(source, 5000)):
        async with database.write() as session:
            await session.execute(insert(CallRow), [call for call, _ in batch])
            await session.execute(insert(CallLegRow), [leg | {"ended_at": leg["ringing_at"]} for _, leg in batch])
    made = tickets(ticket_count, calls, now)
    while some := list(islice(made, 2000)):
        by_table: dict[type[Any], list[dict[str, Any]]] = {}
        for table, row in (pair for ticket in some for pair in ticket):
            by_table.setdefault(table, []).append(row)
        async with database.write() as session:
            for table, found in by_table.items():
                await session.execute(insert(table), found)
    while await index_tickets(database, most=2000):
        continue
    await count_all_anew(database, counting, now=now)
    async with database.write() as session:
        await session.execute(text("ANALYZE"))
