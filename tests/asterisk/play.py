"""Plays every scenario of `scenarios.py` at the same time, each with its own application, phones and database."""

import asyncio
import itertools
import os
import shutil
import wave
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from callcenter.config import REPOSITORY
from callcenter.demo.telephony.a_law import to_a_law
from callcenter.demo.telephony.exchange import Exchange
from callcenter.demo.telephony.phones import (
    Answers,
    Behaviour,
    Caller,
    NotRegistered,
    Phone,
    agent_scenario,
    caller_scenario,
    write_keyed_speech,
)
from callcenter.domain.call_orders import OrderKind
from callcenter.ivr.providers.asterisk.names import bridge_of, leg_name, server_and_channel
from callcenter.voice.speech import SPEECH_FOLDER, OfflineSpeech
from tests.asterisk.hotline import Hotline, Wire, Written, open_hotline

CALLS = REPOSITORY / "callcenter" / "demo" / "calls"
ENDPOINT = """
[{name}]
type = endpoint
transport = transport-udp
context = {context}
disallow = all
allow = alaw
direct_media = no
{more}
"""
IDENTIFY = """
[{name}]
type = identify
endpoint = {name}
match = {address}
"""
AOR = """
[{name}]
type = aor
{contact}
"""
CALLED_BACK_PLACE = 60
"""In the scenario's addresses."""
AT_ONCE = 4
"""Scenarios; more would ring late on two cores, and their tests measure that."""
APART_SECONDS = 1.0
"""Between the beginnings of two scenarios: they load two cores, and the phones' logs are to be exact."""
RUN = os.getpid() % 250
"""The third number of every address, so that several runs on one machine do not meet."""
TEXTS = ("您好", "请留言", "再见", "请按键", "接听请按1")
SPEECH = {"resident": "01-kitchen-leak/resident", "agent": "01-kitchen-leak/agent", "message": "07-voice-mail/resident"}


@dataclass(kw_only=True)
class Scenario:
    """What is played. `agents` in the order in which they are rung; an id that begins with + is an outside number.

    `alone`: before all others, since its sound is measured. `starts_processes`: before the rings that are measured
    exactly, too. `called_back`: the number of a resident whose phone we ring. `on_duty`: what agents are doing counts
    for who is rung. `ears`: calls are heard live.
    """

    name: str
    play: Callable[["Stage"], Awaitable[None]]
    agents: dict[str, Behaviour]
    call_flow: dict[str, Any] = field(default_factory=dict)
    exchanges: Sequence[str] = ("main",)
    wired: bool = False
    starts_processes: bool = False
    alone: bool = False
    on_duty: bool = False
    ears: bool = False
    called_back: str | None = None


@dataclass(kw_only=True)
class Played:
    """What was written down, and the phones with their logs."""

    calls: list[Written] = field(default_factory=list)
    phones: dict[str, Phone] = field(default_factory=dict)
    recordings: dict[str, Path] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    failure: BaseException | None = None

    @property
    def call(self) -> Written:
        assert len(self.calls) == 1, f"one call is expected, there are {len(self.calls)}"
        return self.calls[0]


@dataclass(kw_only=True)
class Stage:
    """Where one scenario is played."""

    scenario: Scenario
    number: int
    folder: Path
    hotline: Hotline
    exchanges: dict[str, Exchange]
    wires: dict[str, Wire]
    played: Played

    def address(self, place: int) -> str:
        return f"127.{self.number + 10}.{RUN}.{place}"

    async def phones(self) -> None:
        """Every agent's phone, ready to be rung once."""
        for place, (agent, does) in enumerate(self.scenario.agents.items(), start=2):
            if not isinstance(does, NotRegistered):
                await self.phone(agent, does, place)

    async def phone(self, agent: str, does: Behaviour, place: int) -> Phone:
        phone = Phone(folder=self.folder, name=agent.strip("+"), address=self.address(place))
        audio = does.says if isinstance(does, Answers) else "agent"
        if isinstance(does, Answers) and does.keys:
            speech = (self.folder / f"{audio}.al").read_bytes()
            audio = f"keyed-{phone.name}"
            write_keyed_speech(self.folder / f"{audio}.pcap", speech, 20, does.keys)
        await phone.start(agent_scenario(does, audio), calls=does.calls if isinstance(does, Answers) else 1)
        self.played.phones[agent] = phone
        return phone

    async def caller(
        self, does: Caller, *, name: str = "caller", audio: str = "resident", exchange: str = "main", place: int = 1
    ) -> Phone:
        if does.keys:
            write_keyed_speech(self.folder / f"{audio}.pcap", (self.folder / f"{audio}.al").read_bytes(), 20, does.keys)
        phone = Phone(folder=self.folder, name=name, address=self.address(place))
        scenario = caller_scenario(does, audio, line=self.scenario.name)
        await phone.start(scenario, "-s", "1000", f"127.0.0.1:{self.exchanges[exchange].sip_port}")
        self.played.phones[name] = phone
        return phone

    async def happened(self, kind: str, *, agent: str | None = None, seconds: float = 40) -> None:
        """Waits until such an event is stored."""
        async with asyncio.timeout(seconds):
            while not await self.hotline.has_event(kind, agent):
                await asyncio.sleep(0.05)

    async def phones_ended(self, *names: str) -> None:
        for name in names:
            await self.played.phones[name].ended()

    def name(self, agent: str) -> str:
        return agent_name(self.number, agent)

    async def talking(self, *, count: int = 1, seconds: float = 30) -> str:
        """Waits until so many calls are talked on; the id of the newest."""
        async with asyncio.timeout(seconds):
            while len(found := self.hotline.talking()) < count:
                await asyncio.sleep(0.05)
        return found[-1]

    async def order(self, call_id: str, kind: OrderKind, party: str = "") -> None:
        """As the console asks for it."""
        await self.hotline.order(call_id, kind, self.name(party) if party else "")

    async def stands(self, call_id: str, *, seconds: float = 15, **wanted: object) -> None:
        """Waits until the conversation stands so."""
        async with asyncio.timeout(seconds):
            while not self.hotline.stands(call_id, **wanted):
                await asyncio.sleep(0.05)

    async def bridged(self, call_id: str) -> set[str]:
        """Who hears whom now: `resident` and the agents' names, in the call's bridge."""
        server, channel = server_and_channel(call_id)
        bridges = await self.hotline.switches[server].ari.bridges()
        names = set()
        for one in bridges.get(bridge_of(channel), ()):
            leg = leg_name(one)
            agent = leg.agent if leg is not None else one.removeprefix(f"{channel}-supervisor-").rpartition("-")[0]
            names.add("resident" if one == channel else agent.removeprefix(f"s{self.number}-"))
        return names

    async def over(self, *, recordings: int = 0, count: int = 1, seconds: float = 60) -> None:
        self.played.calls = await self.hotline.ended(count=count, recordings=recordings, seconds=seconds)
        self.played.recordings = await self.hotline.fetched(self.folder)


def _pjsip(scenarios: Sequence[Scenario], *, exchange: str) -> str:
    """Every scenario's trunk and phones, which only its own application rings."""
    out = ""
    for number, scenario in enumerate(scenarios):
        if exchange not in scenario.exchanges:
            continue
        place = 1 + 100 * list(scenario.exchanges).index(exchange)
        address, line = f"127.{number + 10}.{RUN}.{place}", f"line{number}"
        agents = ",".join(agent_name(number, agent) for agent in scenario.agents)
        more = f"set_var = CALLCENTER_APP=app{number}\nset_var = CALLCENTER_AGENTS={agents}\ndtmf_mode = auto_info"
        out += ENDPOINT.format(name=line, context="callcenter-in", more=more)
        out += IDENTIFY.format(name=line, address=f"{address}\nmatch = 127.{number + 10}.{RUN}.50")
        for agent_place, (agent, does) in enumerate(scenario.agents.items(), start=2):
            name = agent_name(number, agent)
            out += ENDPOINT.format(name=name, context="callcenter-phones", more=f"aors = {name}")
            at = f"127.{number + 10}.{RUN}.{agent_place + place - 1}"
            contact = "" if isinstance(does, NotRegistered) else f"contact = sip:{agent.strip('+')}@{at}:5060"
            out += AOR.format(name=name, contact=contact)
        if scenario.called_back is not None:
            at = f"127.{number + 10}.{RUN}.{CALLED_BACK_PLACE}"
            name = scenario.called_back
            out += ENDPOINT.format(name=name, context="callcenter-phones", more=f"aors = {name}")
            out += AOR.format(name=name, contact=f"contact = sip:resident@{at}:5060")
    return out


def agent_name(number: int, agent: str) -> str:
    """An agent's id, which is the endpoint's name as well; an outside number is a name of the trunk's, or is itself."""
    if agent.startswith("+86"):
        return agent
    return f"s{number}-{agent.strip('+')}"


def _agents(number: int, scenario: Scenario) -> list[dict[str, str]]:
    found = []
    for agent in scenario.agents:
        if agent.startswith("+86"):
            continue
        name = agent_name(number, agent)
        found.append({"id": name, "name": agent, "phone": name if agent.startswith("+") else f"sip:{name}@hotline"})
    return found


async def play_all(folder: Path, template: Path, wanted: Collection[str]) -> dict[str, Played]:
    from tests.asterisk.ordered import ORDERED
    from tests.asterisk.scenarios import SCENARIOS

    chosen = [scenario for scenario in (*ORDERED, *SCENARIOS) if scenario.name in wanted]
    scenarios = sorted(chosen, key=lambda scenario: (not scenario.alone, not scenario.starts_processes))
    names = list(dict.fromkeys(name for scenario in scenarios for name in scenario.exchanges))
    exchanges = {
        name: Exchange(folder / name, name, pjsip=_pjsip(scenarios, exchange=name), rtp_from=20000 + 1000 * at)
        for at, name in enumerate(names)
    }
    try:
        await asyncio.gather(*(exchange.start() for exchange in exchanges.values()))
        stories = {scenario.name: Played() for scenario in scenarios}
        speech = _speech()
        spoken = OfflineSpeech(folder / SPEECH_FOLDER)
        await asyncio.gather(*(spoken.speak(text) for text in TEXTS))
        places = asyncio.Semaphore(AT_ONCE)
        for _, together in itertools.groupby(enumerate(scenarios), lambda one: (one[1].alone, one[1].starts_processes)):
            plays = (
                _play(number, scenario, folder, template, exchanges, stories[scenario.name], speech, places)
                for number, scenario in together
            )
            await asyncio.gather(*plays)
        return stories
    finally:
        await asyncio.gather(*(exchange.stop() for exchange in exchanges.values()))


async def _play(
    number: int,
    scenario: Scenario,
    base: Path,
    template: Path,
    exchanges: dict[str, Exchange],
    played: Played,
    speech: dict[str, bytes],
    places: asyncio.Semaphore,
) -> None:
    async with places:
        await _play_now(number, scenario, base, template, exchanges, played, speech)


async def _play_now(
    number: int,
    scenario: Scenario,
    base: Path,
    template: Path,
    exchanges: dict[str, Exchange],
    played: Played,
    speech: dict[str, bytes],
) -> None:
    folder = base / scenario.name
    folder.mkdir()
    for name, samples in speech.items():
        (folder / f"{name}.al").write_bytes(samples)
    (folder / SPEECH_FOLDER).symlink_to(base / SPEECH_FOLDER)
    shutil.copyfile(template, folder / "calls.sqlite")
    wires = {name: Wire(exchanges[name].http_port) for name in scenario.exchanges} if scenario.wired else {}
    for wire in wires.values():
        await wire.mend()
    servers = [
        exchanges[name].settings(f"app{number}", port=wires[name].port if wires else None)
        for name in scenario.exchanges
    ]
    url = f"sqlite+aiosqlite:///{folder / 'calls.sqlite'}"
    agents, flow = _agents(number, scenario), {"ring_seconds": 6} | scenario.call_flow
    try:
        async with open_hotline(
            folder, url, servers, agents=agents, call_flow=flow, on_duty=scenario.on_duty, ears=scenario.ears
        ) as hotline:
            stage = Stage(
                scenario=scenario,
                number=number,
                folder=folder,
                hotline=hotline,
                exchanges={name: exchanges[name] for name in scenario.exchanges},
                wires=wires,
                played=played,
            )
            await asyncio.sleep(number % AT_ONCE * APART_SECONDS)
            await hotline.speak_prompts()
            await scenario.play(stage)
    except Exception as error:  # noqa: BLE001 - its own test fails with it, the others stand
        played.failure = error
    finally:
        for phone in played.phones.values():
            await phone.stop()


# Sound


def samples_of(path: Path) -> np.ndarray:
    """16-bit WAV, (samples, channels)."""
    with wave.open(str(path), "rb") as file:
        found = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return found.reshape(-1, file.getnchannels())


def _speech() -> dict[str, bytes]:
    """`hello`: a moment, a word, and then silence, as a person says it who has picked up."""
    samples = {name: samples_of(CALLS / f"{path}.wav")[:, 0] for name, path in SPEECH.items()}
    samples["hello"] = np.concatenate(
        (np.zeros(8000, dtype="<i2"), samples["agent"][4800:9600], np.zeros(20 * 8000, dtype="<i2"))
    )
    return {name: to_a_law(spoken) for name, spoken in samples.items()}
