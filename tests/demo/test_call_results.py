"""What came of each call, read from the rows."""

from datetime import UTC, datetime, timedelta

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.recordings import RecordingRow
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.reports.call_results import call_results

AT = datetime(2026, 11, 24, 2, 2, tzinfo=UTC)


def call(call_id: str, minutes: int = 0, direction: str = "inbound") -> CallRow:
    at = AT + timedelta(minutes=minutes)
    return CallRow(
        id=call_id,
        provider="twilio",
        direction=direction,
        from_number="+8613812346207",
        started_at=at,
        last_event_at=at,
        disposition="answered",
        rings_low=2,
        rings_high=3,
        verdict="within",
        event_count=1,
    )


def reminder(number: int, topic: str, **more: object) -> ReminderRow:
    return ReminderRow(id=number, kind="x", topic=topic, to_number="+8613812346207", due_at=AT, created_at=AT, **more)


async def _fill(database: Database) -> None:
    async with database.write() as session:
        session.add_all([call("twilio:CA2", 5), call("twilio:CA1"), call("twilio:CA3", 9, "outbound")])
        await session.flush()
        ticket = TicketRow(
            id=1,
            number="GD-1124-0001",
            first_call_id="twilio:CA1",
            status="open",
            building="3",
            unit="2",
            room="501",
            created_at=AT,
            updated_at=AT,
        )
        session.add(ticket)
        await session.flush()
        session.add_all(
            [
                TicketCallRow(ticket_id=1, call_id="twilio:CA1", relation="first"),
                TicketCallRow(ticket_id=1, call_id="twilio:CA2", relation="repeat"),
                RecordingRow(
                    id="RE1",
                    call_id="twilio:CA1",
                    provider="twilio",
                    url="x",
                    content="conversation",
                    channels=2,
                    ready_at=AT,
                ),
                reminder(1, "ticket:1", ticket_id=1),
                reminder(2, "ticket:1:promise:twilio:CA2:1", ticket_id=1),
                reminder(3, "call:twilio:CA1", ticket_id=1, call_id="twilio:CA1"),
            ]
        )
        await session.flush()
        for number, outcome in ((1, "busy"), (2, "reached")):
            session.add(
                ReminderAttemptRow(
                    reminder_id=2,
                    number=number,
                    idempotency_key=f"k{number}",
                    to_number="+8613812346207",
                    at=AT,
                    speech="您好",
                    outcome=outcome,
                )
            )


async def test_one_row_a_call_with_its_ticket_and_the_calls_owed(database: Database) -> None:
    await _fill(database)
    async with database.read() as session:
        first, repeat = await call_results(session)
    assert (first.id, repeat.id) == ("twilio:CA1", "twilio:CA2")
    assert (first.rings, first.recordings) == ((2, 3), ("pending",))
    assert first.ticket is not None
    assert repeat.ticket is not None
    assert (first.ticket.relation, first.ticket.place) == ("first", "3栋2单元501")
    assert (repeat.ticket.relation, repeat.ticket.number) == ("repeat", first.ticket.number)
    assert len(first.call_backs) == 2
    (owed,) = repeat.call_backs
    assert [made.outcome for made in owed.tries] == ["busy", "reached"]
    assert owed.last is owed.tries[-1]
