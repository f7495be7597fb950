"""The calls of a demonstration or rehearsal: one folder a call, `call.toml` and the two sides' WAVs."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.demo.call_toml import (
    AgentTable,
    CallBackTable,
    CallTable,
    ExpectTable,
    ScriptError,
    check_table,
)
from callcenter.demo.sound import Sound, SoundUnusable, read_wav

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 24)
"""A Tuesday with nothing special in the calendar."""
START = datetime.combine(DAY, time(10), tzinfo=ZONE)
BUILT_IN_CALLS = Path(__file__).parent / "calls"


@dataclass(frozen=True, kw_only=True)
class CallScript:
    """One call: who phones when, what the agents' phones do, what is said, and what must come of it."""

    name: str
    folder: Path
    table: CallTable
    dials_at: datetime
    resident: Sound | None
    agent: Sound | None

    @property
    def title(self) -> str:
        return self.table.title

    @property
    def number(self) -> str:
        return self.table.caller.number

    @property
    def expect(self) -> ExpectTable | None:
        return self.table.expect

    @property
    def call_back(self) -> CallBackTable | None:
        return self.table.expect.call_back if self.table.expect else None

    def agent_table(self, agent_id: str) -> AgentTable:
        """What this agent's phone does; an agent who is not listed lets it ring."""
        for agent in self.table.agents:
            if agent.id == agent_id:
                return agent
        return AgentTable(id=agent_id, does="rings_out")


def at_local_time(clock_time: time) -> datetime:
    """That time of the demonstration's day."""
    return datetime.combine(DAY, clock_time, tzinfo=ZONE)


def read_calls(folder: Path, *, agents: frozenset[str]) -> tuple[CallScript, ...]:
    """All calls of a folder in the order in which they are dialled. Raises ScriptError naming file, key and remedy."""
    if not folder.is_dir():
        raise ScriptError(f"{folder}: no such folder; give a folder that holds one folder a call")
    files = sorted(folder.glob("*/call.toml"))
    if not files:
        raise ScriptError(f"{folder}: no calls here; each call is a folder with a call.toml in it")
    scripts = sorted((read_call(file, agents=agents) for file in files), key=lambda one: (one.dials_at, one.name))
    _check_joined(scripts)
    return tuple(scripts)


def read_call(file: Path, *, agents: frozenset[str]) -> CallScript:
    """One call.toml with the WAVs beside it. Raises ScriptError."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScriptError(f"{file}: not valid TOML in UTF-8: {error}") from error
    table = check_table(values, file)
    _check_agents(table, agents, file)
    dials_at = at_local_time(table.caller.dials_at)
    if dials_at < START:
        raise ScriptError(f"{file}: caller.dials_at = {table.caller.dials_at}: the day begins at {START:%H:%M:%S}")
    script = CallScript(
        name=file.parent.name,
        folder=file.parent,
        table=table,
        dials_at=dials_at,
        resident=_sound(file.parent / "resident.wav"),
        agent=_sound(file.parent / "agent.wav"),
    )
    _check_sounds(script)
    return script


def _check_agents(table: CallTable, known: frozenset[str], file: Path) -> None:
    for position, agent in enumerate(table.agents):
        if agent.id not in known:
            raise ScriptError(
                f"{file}: agents.{position}.id = {agent.id!r}: no such agent; one of {', '.join(sorted(known))}"
            )


def _sound(file: Path) -> Sound | None:
    if not file.exists():
        return None
    try:
        return read_wav(file)
    except SoundUnusable as error:
        raise ScriptError(f"{file}: {error}; expected 8 kHz, mono, 16-bit PCM WAV") from error


def _check_sounds(script: CallScript) -> None:
    answered = next((agent.id for agent in script.table.agents if agent.does == "answers"), None)
    if answered and not (script.resident and script.agent):
        missing = "resident.wav" if script.resident is None else "agent.wav"
        raise ScriptError(f"{script.folder / missing}: not found; agent {answered!r} answers, so both sides are needed")
    if script.resident and script.agent and script.resident.frames != script.agent.frames:
        raise ScriptError(
            f"{script.folder}: resident.wav lasts {script.resident.seconds:.3f} s and agent.wav"
            f" {script.agent.seconds:.3f} s; both begin at the answer and must be equally long"
        )


def _check_joined(scripts: list[CallScript]) -> None:
    names = [script.name for script in scripts]
    for script in scripts:
        joined = script.expect.ticket.joined_to if script.expect and script.expect.ticket else None
        if joined is not None and joined not in names[: names.index(script.name)]:
            raise ScriptError(
                f"{script.folder / 'call.toml'}: expect.ticket.joined_to = {joined!r}:"
                " expected the folder name of a call that is dialled before this one"
            )
