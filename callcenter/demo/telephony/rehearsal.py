"""Plays rehearsed calls over real SIP, with the speech of `callcenter/demo/calls`, in real time."""

import asyncio
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from callcenter.demo.call_script import BUILT_IN_CALLS, CallScript
from callcenter.demo.call_toml import AgentTable
from callcenter.demo.environment import AGENTS, HOTLINE, ON_CALL
from callcenter.demo.far_end.people import last_digits
from callcenter.demo.sound import RATE_HZ
from callcenter.demo.telephony.a_law import to_a_law
from callcenter.demo.telephony.exchange import Exchange
from callcenter.demo.telephony.lines import RING_SECONDS, Lines
from callcenter.demo.telephony.phones import (
    Answers,
    Behaviour,
    Caller,
    Phone,
    Refuses,
    RingsOut,
    agent_scenario,
    caller_scenario,
    write_keyed_speech,
)

CALLS = (
    "09-gave-up-ringing",
    "01-kitchen-leak",
    "11-refused-first",
    "05-lift-trapped",
    "08-fourth-ring",
    "07-voice-mail",
)
"""Six of the rehearsed calls: given up, within three rings, refused, late, an emergency that phones out, voice mail."""
LISTENING_SECONDS = 0.5
"""Until a SIPp process listens."""
SETTLE_SECONDS = 0.4
"""Between a phone's answer and the first word."""
LAST_WORD_SECONDS = 1.0
PRESSED_AFTER_SECONDS = 8.0
KEYED_SECONDS = 30.0
LONGEST_SECONDS = 900
"""So long a phone waits to be rung."""
TAIL_SECONDS = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """How long the texts take that the resident hears before anybody answers."""

    notice_seconds: float
    voice_mail_seconds: float


class Rehearsal:
    """The far ends of all calls: SIPp's files lie in `folder`."""

    def __init__(self, folder: Path, exchange: Exchange, lines: Lines, heard: Heard) -> None:
        self._folder = folder
        self._exchange = exchange
        self._lines = lines
        self._heard = heard
        self._called: list[Phone] = []
        self._played = 0
        folder.mkdir()

    async def stand_by(self, scripts: Sequence[CallScript]) -> None:
        """The phones that we ring: on-call people, who press 1, and residents who are called back."""
        word = _word(Path("01-kitchen-leak") / "agent.wav")
        hello = to_a_law(np.concatenate((np.zeros(RATE_HZ), word, np.zeros(RATE_HZ * 20))))
        for person in ON_CALL:
            await self._picks_up(person["name"], f"on-call-{person['phone']}", "answers", "1", hello)
        for script in called_back(scripts):
            assert script.call_back is not None
            number = number_called_back(script)
            await self._picks_up(
                number, f"resident-{number}", script.call_back.resident, script.call_back.presses, hello
            )

    async def _picks_up(self, who: str, name: str, does: str, keys: str, hello: bytes) -> None:
        presses = [(key, PRESSED_AFTER_SECONDS + 2 * place) for place, key in enumerate(keys)]
        behaviour: Behaviour = RingsOut()
        if does == "answers":
            behaviour = Answers(ring_seconds=2, keys=presses)
            write_keyed_speech(self._folder / f"{name}.pcap", hello, KEYED_SECONDS, presses)
            (self._folder / f"{name}.al").write_bytes(hello)
        elif does == "busy":
            behaviour = Refuses(status="486 Busy Here")
        phone = Phone(folder=self._folder, name=name, address=self._lines.phones[who])
        await phone.start(agent_scenario(behaviour, name), seconds=LONGEST_SECONDS)
        self._called.append(phone)

    async def stop(self) -> None:
        for phone in self._called:
            await phone.stop()

    async def play(self, script: CallScript) -> datetime:
        """One call from its first ring to its end; when it began, by the phones' clock."""
        self._played += 1
        name = f"{self._played}-{script.name}"
        agents = [await self._agent(script, agent["id"], name) for agent in AGENTS]
        await asyncio.sleep(LISTENING_SECONDS)
        caller = Phone(folder=self._folder, name=name, address=self._lines.trunk)
        hangs_up = self._speak(script, name)
        scenario = caller_scenario(
            Caller(hang_up_seconds=hangs_up, number=script.number), f"{name}-resident", line=script.name
        )
        try:
            await caller.start(scenario, "-s", HOTLINE, f"127.0.0.1:{self._exchange.sip_port}")
            await caller.ended(hangs_up + TAIL_SECONDS)
        finally:
            for phone in (caller, *agents):
                await phone.stop()
        return caller.time_of("INVITE")

    async def _agent(self, script: CallScript, agent: str, name: str) -> Phone:
        phone = Phone(folder=self._folder, name=f"{name}-{agent}", address=self._lines.phones[agent])
        table = script.agent_table(agent)
        audio = f"{phone.name}-speech"
        spoken = script.agent.samples if script.agent else b""
        samples = _with_silence(np.frombuffer(spoken, "<i2"), before=SETTLE_SECONDS)
        (self._folder / f"{audio}.al").write_bytes(to_a_law(samples))
        does = _behaviour(table)
        if isinstance(does, Answers) and does.keys:
            seconds = len(samples) / RATE_HZ
            write_keyed_speech(self._folder / f"{audio}.pcap", to_a_law(samples), seconds, does.keys)
        await phone.start(agent_scenario(does, audio))
        return phone

    def _speak(self, script: CallScript, name: str) -> float:
        """The resident's side as they will say it; when they hang up, in seconds after the line was opened."""
        waits = waiting_seconds(script.table.agents, self._heard)
        if script.table.caller.gives_up_after_seconds is not None:
            waits = self._heard.notice_seconds + script.table.caller.gives_up_after_seconds
        spoken = np.frombuffer(script.resident.samples if script.resident else b"", "<i2")
        samples = _with_silence(spoken, before=waits + SETTLE_SECONDS)
        (self._folder / f"{name}-resident.al").write_bytes(to_a_law(samples))
        speech_seconds = len(spoken) / RATE_HZ
        return waits + (SETTLE_SECONDS + speech_seconds + LAST_WORD_SECONDS if speech_seconds else 0.0)


def called_back(scripts: Sequence[CallScript]) -> list[CallScript]:
    """Whose call is missed: those call-backs fall due within the demonstration."""
    return [script for script in scripts if script.call_back is not None and script.call_back.kind == "missed_call"]


def number_called_back(script: CallScript) -> str:
    """What the resident says goes before the number that was shown."""
    spoken = script.expect.ticket.phone if script.expect and script.expect.ticket else None
    return f"+86{last_digits(spoken)}" if spoken else script.number


def waiting_seconds(agents: Sequence[AgentTable], heard: Heard) -> float:
    """From the opened line to the first word of the resident: notice, ringing, and what voice mail says."""
    tables = {table.id: table for table in agents}
    waits = heard.notice_seconds
    for agent in (agent["id"] for agent in AGENTS):
        table = tables.get(agent)
        if table is None or table.does == "rings_out":
            waits += RING_SECONDS
        elif table.does != "busy":
            waits += table.ring_seconds or 0.0
        if table is not None and table.does == "answers":
            return waits + (table.confirms_after_seconds or 0.0)
    return waits + heard.voice_mail_seconds


def _behaviour(table: AgentTable) -> Behaviour:
    match table.does:
        case "answers":
            keys = [("1", table.confirms_after_seconds)] if table.confirms_after_seconds is not None else []
            return Answers(ring_seconds=table.ring_seconds or 0.0, keys=keys)
        case "refuses":
            return Refuses(status="603 Decline", ring_seconds=table.ring_seconds or 0.0)
        case "busy":
            return Refuses(status="486 Busy Here")
    return RingsOut()


def _with_silence(spoken: np.ndarray, *, before: float) -> np.ndarray:
    """So that what is played over and over is heard once."""
    lead, tail = np.zeros(round(before * RATE_HZ)), np.zeros(TAIL_SECONDS * RATE_HZ)
    return np.concatenate((lead, spoken, tail)).astype("<i2")


def _word(file: Path) -> np.ndarray:
    """Half a second of somebody who picks up."""
    with wave.open(str(BUILT_IN_CALLS / file)) as opened:
        samples = np.frombuffer(opened.readframes(opened.getnframes()), "<i2")
    return samples[int(0.6 * RATE_HZ) : int(1.2 * RATE_HZ)]
