"""The calls that are played, all at once."""

import asyncio
import json
import os
import shutil
import sys

from callcenter.config import REPOSITORY
from callcenter.demo.telephony.phones import Answers, Caller, NotRegistered, Refuses, RingsOut
from callcenter.ivr.providers.asterisk.outbound import AsteriskDialler
from callcenter.ports import DialRefused, OutboundCall
from tests.asterisk.play import CALLED_BACK_PLACE, CALLS, Scenario, Stage, agent_name
from tests.asterisk.server import Server

MISSED = "+8613900002222"
"""Phones while nobody answers, and says in the message to be called back at another number."""
SAID = "+8613580662937"
MENU = {"menu": {"enabled": True, "prompt": "请按键", "seconds": 6}}


async def one_call(stage: Stage, caller: Caller, *, recordings: int, audio: str = "resident") -> None:
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    phone = await stage.caller(caller, audio=audio)
    await phone.ended()
    await stage.over(recordings=recordings)


async def first_ring(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=14), recordings=1)


async def fourth_ring(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=None), recordings=1)


async def abandoned(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=8), recordings=0)


async def passed_on(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=14), recordings=1)


async def nobody(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=36), recordings=1, audio="message")


async def pressed(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=10, keys=[("2", 1.5)]), recordings=1)


async def pressed_by_info(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=10, info_keys=[("3", 1.5)]), recordings=1)


async def confirmed_outside(stage: Stage) -> None:
    await one_call(stage, Caller(hang_up_seconds=22), recordings=1)


async def cut_while_ringing(stage: Stage) -> None:
    """The line to Asterisk breaks while a phone rings; it is answered in the meantime."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    caller = await stage.caller(Caller(hang_up_seconds=20))
    await stage.happened("leg_ringing")
    await stage.wires["main"].cut()
    await asyncio.sleep(7)
    await stage.wires["main"].mend()
    await caller.ended()
    await stage.over(recordings=1)


async def cut_while_talking(stage: Stage) -> None:
    """The line breaks in the conversation; the resident hangs up in the meantime."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    caller = await stage.caller(Caller(hang_up_seconds=9))
    await stage.happened("leg_answered")
    await stage.wires["main"].cut()
    await caller.ended()
    await asyncio.sleep(0.5)
    await stage.wires["main"].mend()
    await stage.over(recordings=1)


async def alone(stage: Stage) -> None:
    """Nobody of us is there: one call is answered by the second agent, the other leaves a message."""
    await stage.phones()
    await asyncio.sleep(0.5)
    answered = await stage.caller(Caller(hang_up_seconds=16), name="caller1")
    await answered.ended()
    left_message = await stage.caller(
        Caller(hang_up_seconds=22, number="+8613900001111"), name="caller2", audio="message"
    )
    await left_message.ended()
    await stage.hotline.connect()
    await stage.over(recordings=2, count=2)
    stage.played.notes["first"] = len(stage.played.calls)
    await stage.hotline.disconnect()
    await stage.hotline.connect()  # nothing twice
    await asyncio.sleep(1.5)
    await stage.over(recordings=2, count=2)


async def while_talking(stage: Stage) -> None:
    """A second resident phones while the first agent talks."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    first = await stage.caller(Caller(hang_up_seconds=18), name="caller1")
    await stage.happened("leg_answered")
    second = await stage.caller(Caller(hang_up_seconds=8, number="anonymous"), name="caller2", place=50)
    await asyncio.gather(first.ended(), second.ended())
    await stage.over(recordings=2, count=2)


async def two_exchanges(stage: Stage) -> None:
    """A call on each at the same time."""
    await stage.hotline.connect()
    await stage.phones()
    await stage.phone("wang", Answers(ring_seconds=2), 102)
    await asyncio.sleep(0.5)
    one = await stage.caller(Caller(hang_up_seconds=10), name="caller1")
    other = await stage.caller(Caller(hang_up_seconds=10), name="caller2", exchange="second", place=101)
    await asyncio.gather(one.ended(), other.ended())
    await stage.over(recordings=2, count=2)


async def exchange_killed(stage: Stage) -> None:
    """Asterisk dies in the conversation and is started again."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    await stage.caller(Caller(hang_up_seconds=60), exchange="third")
    await stage.happened("leg_answered")
    await asyncio.sleep(4)
    await stage.exchanges["third"].kill()
    await asyncio.sleep(0.5)
    await stage.exchanges["third"].start()
    await stage.over(recordings=1)


async def taken_up_ringing(stage: Stage) -> None:
    """We stop while a phone rings, and start again."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    caller = await stage.caller(Caller(hang_up_seconds=13))
    await stage.happened("leg_ringing")
    await stage.hotline.disconnect()
    await asyncio.sleep(1)
    await stage.hotline.connect()
    await caller.ended()
    await stage.over(recordings=1)


async def taken_up_in_a_message(stage: Stage) -> None:
    """We stop while a resident leaves a message, and start again."""
    await stage.hotline.connect()
    caller = await stage.caller(Caller(hang_up_seconds=14), audio="message")
    await stage.happened("voice_mail_started")
    await asyncio.sleep(3)
    await stage.hotline.disconnect()
    await asyncio.sleep(1)
    await stage.hotline.connect()
    await caller.ended()
    await stage.over(recordings=1)


async def outbound(stage: Stage) -> None:
    """Reminders to several residents at once, each of whom does something else."""
    await stage.hotline.connect()
    await stage.phones()
    await asyncio.sleep(0.5)
    dialler = AsteriskDialler(stage.hotline.switches)
    for number, resident in enumerate(stage.scenario.agents):
        call = OutboundCall(
            idempotency_key=f"{stage.scenario.name}-{number}",
            purpose=f"reminder:{number}",
            to_number=agent_name(stage.number, resident),
            speech="您好",
            asks_key=True,
            key_prompt="请按键",
            kind="satisfaction" if resident.startswith("+rates") else "missed_call",
            from_number="+862155550100",
        )
        try:
            stage.played.notes[resident] = await dialler.place_call(call)
        except DialRefused as refused:
            stage.played.notes[resident] = str(refused)
        else:
            assert await dialler.place_call(call) == stage.played.notes[resident], "the same order rings nobody twice"
    await stage.over(count=len(stage.scenario.agents) - 1)


async def server_killed(stage: Stage) -> None:
    """The real server, killed in a conversation and started again; a call that nobody answers is called back."""
    stage.hotline.folds = False
    server = Server(stage)
    await server.start()
    try:
        await stage.phones()
        caller = await stage.caller(Caller(hang_up_seconds=28))
        await stage.happened("leg_answered")
        await asyncio.sleep(3)
        await server.kill()
        await asyncio.sleep(1)
        await server.start()
        second = await stage.caller(
            Caller(hang_up_seconds=30, number=MISSED), name="caller2", audio="message", place=50
        )
        await asyncio.gather(caller.ended(), second.ended())
        await stage.over(recordings=2, count=2)
        tickets = stage.played.notes["tickets"] = await server.tickets(2)
        await stage.phone(SAID, Answers(ring_seconds=1, says="hello", keys=[("1", 6.0)]), CALLED_BACK_PLACE)
        stage.played.notes["called_back"] = await server.called_back(tickets[1].number)
    finally:
        await server.stop()


async def demonstration(stage: Stage) -> None:
    """`make phone-demo` as a user runs it, with two of the short calls."""
    calls = stage.folder / "calls"
    for name in ("06-short-hang-up", "12-silence"):
        shutil.copytree(CALLS / name, calls / name)
    options = ("--once", "--json", "--port", "0", "--calls", str(calls), "--data-dir", str(stage.folder / "data"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter", "demo", "--phones", *options),
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode == 0, said.decode()
    stage.played.notes.update(json.loads(out))


ANSWERS = {"hewen": Answers(ring_seconds=3)}
SCENARIOS = [
    Scenario(name="answered_on_the_first_ring", play=first_ring, agents=ANSWERS, alone=True),
    Scenario(
        name="answered_on_the_fourth_ring",
        play=fourth_ring,
        agents={"hewen": Answers(ring_seconds=15.5, talk_seconds=5)},
        call_flow={"ring_seconds": 20},
    ),
    Scenario(
        name="abandoned_in_the_second_ring",
        play=abandoned,
        agents={"hewen": RingsOut()},
        call_flow={"ring_seconds": 20},
    ),
    Scenario(
        name="busy_refusing_and_unregistered_phones_pass_the_call_on",
        play=passed_on,
        agents={
            "busy": Refuses(status="486 Busy Here"),
            "refusing": Refuses(status="603 Decline", ring_seconds=1.2),
            "pressed-away": Refuses(status="486 Busy Here", ring_seconds=1.0),
            "off": NotRegistered(),
            "gone": Refuses(status="480 Temporarily Unavailable"),
            "hewen": Answers(ring_seconds=2),
        },
    ),
    Scenario(name="nobody_answers_voice_mail_ticket", play=nobody, agents={"hewen": RingsOut(), "zhao": RingsOut()}),
    Scenario(name="key_by_rfc_4733", play=pressed, agents={"hewen": Answers(ring_seconds=1)}, call_flow=MENU),
    Scenario(name="key_by_sip_info", play=pressed_by_info, agents={"hewen": Answers(ring_seconds=1)}, call_flow=MENU),
    Scenario(
        name="all_at_once_the_first_to_answer_has_it",
        play=first_ring,
        agents={"hewen": RingsOut(), "zhao": Answers(ring_seconds=3), "sun": RingsOut()},
        call_flow={"strategy": "all_at_once"},
    ),
    Scenario(
        name="an_outside_number_confirms_by_a_key",
        play=confirmed_outside,
        agents={"+1380": Answers(ring_seconds=1), "+1390": Answers(ring_seconds=1, keys=[("1", 3.0)])},
        call_flow={"confirm_seconds": 3, "confirm_prompt": "接听请按1"},
    ),
    Scenario(
        name="connection_cut_while_a_phone_rings",
        play=cut_while_ringing,
        agents={"hewen": Answers(ring_seconds=5)},
        call_flow={"ring_seconds": 20},
        wired=True,
    ),
    Scenario(name="connection_cut_in_a_conversation", play=cut_while_talking, agents=ANSWERS, wired=True),
    Scenario(
        name="without_us_the_dialplan_rings_and_takes_messages",
        play=alone,
        agents={"off": NotRegistered(), "hewen": Answers(ring_seconds=3)},
    ),
    Scenario(
        name="a_resident_is_put_on_hold",
        play=first_ring,
        agents={"hewen": Answers(ring_seconds=1, holds=(3.0, 4.0))},
    ),
    Scenario(
        name="an_agent_who_talks_is_not_rung",
        play=while_talking,
        agents={"hewen": Answers(ring_seconds=1), "zhao": Answers(ring_seconds=1)},
    ),
    Scenario(
        name="two_exchanges_at_once",
        play=two_exchanges,
        agents={"wang": Answers(ring_seconds=2)},
        exchanges=("main", "second"),
    ),
    Scenario(
        name="a_ringing_call_is_taken_up_again",
        play=taken_up_ringing,
        agents={"hewen": Answers(ring_seconds=5)},
        call_flow={"ring_seconds": 20},
    ),
    Scenario(
        name="reminders_are_phoned",
        play=outbound,
        agents={
            "+rates": Answers(ring_seconds=2, says="hello", keys=[("5", 6.0)]),
            "+stops": Answers(ring_seconds=1, says="hello", keys=[("9", 6.0)]),
            "+person": Answers(ring_seconds=1, says="hello"),
            "+machine": Answers(ring_seconds=1),
            "+busy": Refuses(status="486 Busy Here"),
            "+refusing": Refuses(status="603 Decline", ring_seconds=1),
            "+unknown": Refuses(status="404 Not Found"),
            "+away": Refuses(status="480 Temporarily Unavailable", ring_seconds=2),
            "+off": NotRegistered(),
            **{f"+rates{key}": Answers(ring_seconds=1, says="hello", keys=[(key, 6.0)]) for key in "1234"},
        },
    ),
    Scenario(name="a_message_is_taken_up_again", play=taken_up_in_a_message, agents={"off": NotRegistered()}),
    Scenario(
        name="the_server_is_killed_in_a_conversation",
        play=server_killed,
        starts_processes=True,
        agents={"hewen": Answers(ring_seconds=2)},
        called_back=SAID,
    ),
    Scenario(name="the_demonstration_by_telephone", play=demonstration, agents={}, exchanges=(), starts_processes=True),
    Scenario(
        name="an_exchange_that_dies", play=exchange_killed, agents=ANSWERS, exchanges=("third",), starts_processes=True
    ),
]
