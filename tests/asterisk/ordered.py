"""Calls that people at the console do something to, and residents who wait in line: played beside all others."""

import asyncio
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from callcenter.app.parts import rules_of
from callcenter.clock import SystemClock
from callcenter.db.calls import CallRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketRow
from callcenter.demo.telephony.phones import Answers, Caller, NotRegistered, Refuses, RingsOut
from callcenter.domain.call_orders import Consulted, OrderKind
from callcenter.ivr.providers.asterisk.outbound import AsteriskDialler
from callcenter.ports import OrderRefused, OutboundCall
from callcenter.services.dial_due_reminders import dial_due_reminders
from tests.asterisk.play import Scenario, Stage

RESIDENT = "+8613812346207"
WAITS = "+8613700000077"
OWNS = "+8613700000088"
QUEUE = {"queue": {"enabled": True, "prompt": "您好{ahead}", "say_every_seconds": 20, "kept": "再见"}}


async def begun(stage: Stage, hang_up_seconds: float) -> str:
    """A resident phones, and somebody answers; the call's id."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    await stage.caller(Caller(hang_up_seconds=hang_up_seconds))
    return await stage.talking()


async def announced(stage: Stage) -> None:
    """Held and taken back; then a colleague is asked first, and the resident handed over."""
    notes = stage.played.notes
    call = await begun(stage, 13)
    await stage.order(call, OrderKind.HOLD)
    notes["held"] = await stage.bridged(call)
    await asyncio.sleep(1)
    await stage.order(call, OrderKind.RESUME)
    notes["taken back"] = await stage.bridged(call)
    await stage.order(call, OrderKind.CONSULT, "zhao")
    await stage.stands(call, consulted=Consulted.RINGING)
    await stage.stands(call, consulted=Consulted.TALKING)
    notes["asked first"] = await stage.bridged(call)
    await asyncio.sleep(1)
    await stage.order(call, OrderKind.HAND_OVER)
    notes["handed over"] = await stage.bridged(call)
    try:
        await stage.order(call, OrderKind.JOIN)
    except OrderRefused as refused:
        notes["nobody to join"] = refused.why
    await stage.phones_ended("caller")
    await stage.over(recordings=1)


async def unanswered(stage: Stage) -> None:
    """Passed on to a colleague who does not answer: the agent who passed on is rung again."""
    call = await begun(stage, 17)
    try:
        await stage.order(call, OrderKind.TRANSFER, "off")
    except OrderRefused as refused:
        stage.played.notes["not registered"] = refused.why
    await stage.order(call, OrderKind.TRANSFER, "zhao")
    await stage.phones_ended("caller")
    await stage.over(recordings=1)


async def three_way(stage: Stage) -> None:
    """A supervisor listens, whispers, steps in; a department is called in, and the agent leaves it to the resident."""
    notes = stage.played.notes
    call = await begun(stage, 17)
    await stage.order(call, OrderKind.LISTEN, "boss")
    await stage.stands(call, supervised=OrderKind.LISTEN)
    notes["listening"] = await stage.bridged(call)
    await asyncio.sleep(1)
    await stage.order(call, OrderKind.WHISPER, "boss")
    await stage.stands(call, supervised=OrderKind.WHISPER)
    notes["whispering"] = await stage.bridged(call)
    await asyncio.sleep(2)
    await stage.order(call, OrderKind.STEP_IN, "boss")
    await stage.stands(call, supervised=OrderKind.STEP_IN)
    notes["stepped in"] = await stage.bridged(call)
    await asyncio.sleep(2)
    await stage.order(call, OrderKind.LEAVE)
    await stage.stands(call, supervised=None)
    await stage.order(call, OrderKind.CONSULT, "+depot")
    await stage.stands(call, consulted=Consulted.TALKING)
    await stage.order(call, OrderKind.JOIN)
    notes["three"] = await stage.bridged(call)
    await stage.phones_ended("hewen")
    notes["two"] = await stage.bridged(call)
    await stage.phones_ended("caller")
    await stage.over(recordings=1)


async def paused(stage: Stage) -> None:
    """The agent's phone pauses the recording by its keys and goes on; then the desk does; live words stop as well."""
    call = await begun(stage, 13)
    await stage.stands(call, recording_paused=True)
    await stage.stands(call, recording_paused=False)
    await asyncio.sleep(1.5)
    await stage.order(call, OrderKind.PAUSE_RECORDING)
    await asyncio.sleep(2)
    await stage.order(call, OrderKind.RESUME_RECORDING)
    await stage.phones_ended("caller")
    await stage.over(recordings=1)
    stage.played.notes["ears"] = stage.hotline.ears


async def heard_live(stage: Stage) -> None:
    await begun(stage, 12)
    await stage.phones_ended("caller")
    await stage.over(recordings=1)
    stage.played.notes["ears"] = ears = stage.hotline.ears
    async with asyncio.timeout(10):
        while not ears.reports:
            await asyncio.sleep(0.05)


async def waits_and_keeps_the_place(stage: Stage) -> None:
    """The only agent talks: a second resident hears their place, keeps it by a key, and is phoned in their turn."""
    hotline, clock = stage.hotline, SystemClock()
    await begun(stage, 12)
    async with asyncio.timeout(10):
        while hotline.duty is None or hotline.duty.somebody_is_free():
            await asyncio.sleep(0.05)
    await stage.caller(
        Caller(hang_up_seconds=None, keys=[("1", 4.0)], number=WAITS), name="waiting", audio="message", place=50
    )
    rules = replace(rules_of(hotline.settings), somebody_is_free=hotline.duty.somebody_is_free)
    dialler = AsteriskDialler(hotline.switches)
    stage.played.notes["too early"] = None
    async with asyncio.timeout(40):
        while len(await hotline.calls()) < 3:
            await dial_due_reminders(hotline.database, clock=clock, dialler=dialler, rules=rules, claimer="here")
            if stage.played.notes["too early"] is None and await _reminder(stage):
                stage.played.notes["too early"] = not hotline.duty.somebody_is_free()
            await asyncio.sleep(0.3)
    await stage.over(count=3, recordings=2)
    stage.played.notes["reminder"] = await _reminder(stage)


async def _reminder(stage: Stage) -> ReminderRow | None:
    async with stage.hotline.database.read() as session:
        return await session.scalar(select(ReminderRow))


async def owner_first(stage: Stage) -> None:
    """The caller's open ticket is the second agent's: that phone rings first, although all are rung at once."""
    now = SystemClock().now()
    async with stage.hotline.database.write() as session:
        session.add(_earlier_call(now))
        await session.flush()
        ticket = TicketRow(
            number="GD-0001", first_call_id="earlier", status="open", caller_number=OWNS, owner=stage.name("zhao")
        )
        ticket.created_at = ticket.updated_at = now
        session.add(ticket)
    await stage.hotline.connect()
    await stage.phones()
    await stage.hotline.known.look()
    await stage.hotline.duty.look()
    await asyncio.sleep(0.5)
    phone = await stage.caller(Caller(hang_up_seconds=6, number=OWNS))
    await phone.ended()
    await stage.over(count=2)
    stage.played.calls = [one for one in stage.played.calls if one.call.id != "earlier"]


def _earlier_call(now: datetime) -> CallRow:
    return CallRow(
        id="earlier",
        provider="asterisk",
        direction="inbound",
        started_at=now,
        ended_at=now,
        last_event_at=now,
        disposition="voice_mail",
        event_count=0,
    )


async def from_a_ticket(stage: Stage) -> None:
    """The agent's phone rings, then the resident's; a second resident is busy, for a third no agent comes.

    While the first two talk we stop and start again.
    """
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    dialler = AsteriskDialler(stage.hotline.switches)
    for number, (agent, resident) in enumerate((("hewen", "+home"), ("zhao", "+taken"), ("off", "+never"))):
        call = OutboundCall(
            idempotency_key=f"{stage.scenario.name}-{number}",
            purpose=f"reminder:{number}",
            to_number=stage.name(resident),
            speech="您好",
            kind="agent_call",
            from_number="+862155550100",
            agent=stage.name(agent),
        )
        await dialler.place_call(call)
    await stage.talking()
    await stage.over(count=2)
    await stage.hotline.disconnect()
    await asyncio.sleep(0.5)
    await stage.hotline.connect()
    stage.played.notes["taken up"] = await stage.bridged(await stage.talking())
    await stage.over(count=3, recordings=1)


ORDERED = [
    Scenario(
        name="passed_on_to_a_colleague_who_was_asked_first",
        play=announced,
        agents={"hewen": Answers(ring_seconds=1), "zhao": Answers(ring_seconds=1, says="message")},
    ),
    Scenario(
        name="a_transfer_that_nobody_answers_comes_back",
        play=unanswered,
        agents={"hewen": Answers(ring_seconds=1, calls=2), "zhao": RingsOut(), "off": NotRegistered()},
    ),
    Scenario(
        name="a_department_as_the_third_and_a_supervisor",
        play=three_way,
        agents={
            "hewen": Answers(ring_seconds=1, talk_seconds=12.5),
            "boss": Answers(ring_seconds=0.5, says="message"),
            "+depot": Answers(ring_seconds=0.5),
        },
    ),
    Scenario(
        name="the_recording_is_paused",
        play=paused,
        agents={"hewen": Answers(ring_seconds=1, keys=[("*", 2.0), ("3", 2.4), ("*", 4.4), ("3", 4.8)])},
        ears=True,
    ),
    Scenario(name="heard_while_it_is_spoken", play=heard_live, agents={"hewen": Answers(ring_seconds=1)}, ears=True),
    Scenario(
        name="waiting_in_line_and_called_back",
        play=waits_and_keeps_the_place,
        agents={
            "hewen": Answers(ring_seconds=1, calls=2, talk_seconds=8),
            WAITS: Answers(ring_seconds=1, says="hello", keys=[("1", 6.0)]),
        },
        call_flow=QUEUE,
        on_duty=True,
    ),
    Scenario(
        name="the_owner_of_the_open_ticket_is_rung_first",
        play=owner_first,
        agents={"hewen": RingsOut(), "zhao": Answers(ring_seconds=1)},
        call_flow={"strategy": "all_at_once"},
        on_duty=True,
    ),
    Scenario(
        name="an_agent_calls_from_a_ticket",
        play=from_a_ticket,
        agents={
            "hewen": Answers(ring_seconds=1, talk_seconds=11),
            "zhao": Answers(ring_seconds=1),
            "off": NotRegistered(),
            "+home": Answers(ring_seconds=1),
            "+taken": Refuses(status="486 Busy Here"),
            "+never": RingsOut(),
        },
    ),
]
