"""A crowd on the telephone: one Asterisk, one SIPp in the part of all residents, one in the part of all agents.

Calls to `callcenter-in` are the product's; those to `plain-in` are the dialplan's alone: the same notice, the same
MixMonitor, Dial. Every resident speaks one clip and every agent another, over and over. The agents are one hunting
group behind one address, as those of another PBX are: which of them is free is not asked here.
"""

import asyncio
import os
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from callcenter.config import REPOSITORY
from callcenter.demo.telephony.a_law import to_a_law
from callcenter.demo.telephony.exchange import TEMPLATES, Exchange, prompt_ones
from callcenter.demo.telephony.phones import Answers, Caller, agent_scenario, caller_scenario

CALLS = REPOSITORY / "callcenter" / "demo" / "calls"
CLIPS = {"resident": "01-kitchen-leak/resident.wav", "agent": "01-kitchen-leak/agent.wav"}
CLIP_SECONDS = 8
FRAME = 160
RING_SECONDS = 0.2
APP, POOL = "benchmark", "pool"
PLAIN, OURS, MORE = "plain", "ours", "more"
"""Who phones: beside the plain calls and ours, those who come and go beside ours."""
LEG = """
[{name}]
type = endpoint
transport = transport-udp
context = {context}
disallow = all
allow = alaw
direct_media = no
{more}
"""


def addresses() -> dict[str, str]:
    """Of this run alone."""
    run = os.getpid() % 250
    return {PLAIN: f"127.220.{run}.2", OURS: f"127.220.{run}.3", MORE: f"127.220.{run}.4", "agents": f"127.220.{run}.5"}


def clip(speaker: str) -> np.ndarray:
    """Speech without its pauses, so that every frame can be told from every other."""
    with wave.open(str(CALLS / CLIPS[speaker])) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    loud = frames[np.abs(frames.astype(int)).max(axis=1) > 1500]
    return loud[: CLIP_SECONDS * 8000 // FRAME].ravel()


def phone_endpoint() -> str:
    """As asterisk.phone_endpoint has it."""
    return f"PJSIP/{{user}}/sip:agents@{addresses()['agents']}:5060"


def _pjsip() -> str:
    at, out = addresses(), ""
    for arm, context in ((PLAIN, "plain-in"), (OURS, "callcenter-in"), (MORE, "callcenter-in")):
        more = f"set_var = CALLCENTER_APP={APP}" if arm != PLAIN else ""
        out += LEG.format(name=arm, context=context, more=more)
        out += f"[{arm}]\ntype = identify\nendpoint = {arm}\nmatch = {at[arm]}\n"
    out += LEG.format(name=POOL, context="callcenter-phones", more="")
    return out


def _plain_dialplan() -> str:
    """The template's own MixMonitor, and no application."""
    template = (TEMPLATES / "extensions.conf").read_text(encoding="utf-8")
    mix_monitor = next(line for line in template.splitlines() if "MixMonitor(" in line)
    return f"""
[plain-in]
exten => _X!,1,Set(CHANNEL(tonezone)=cn)
{mix_monitor}
 same => n,Answer()
 same => n,Playback(${{CALLCENTER_PROMPTS}}/notice)
 same => n,Dial({phone_endpoint().format(user=POOL)},30)
 same => n,Hangup()
"""


def exchange_for(folder: Path, calls: int) -> Exchange:
    """With ports of RTP for so many calls at once."""
    ports = 8 * calls + 100
    return Exchange(folder, "main", pjsip=_pjsip(), dialplan=_plain_dialplan(), rtp_from=21000, rtp_ports=ports)


class Crowd:
    """The residents' and agents' phones, whose commands run in `folder`."""

    def __init__(self, folder: Path, sip_port: int) -> None:
        self._folder, self._sip_port = folder, sip_port
        self._processes: list[asyncio.subprocess.Process] = []
        self._number = 0
        folder.mkdir()
        for speaker in CLIPS:
            (folder / f"{speaker}.al").write_bytes(to_a_law(clip(speaker)))

    async def agents(self) -> None:
        await self._sipp("agents", agent_scenario(Answers(ring_seconds=RING_SECONDS), "agent"), addresses()["agents"])

    async def residents(self, arm: str, *, calls: int, rate: float, hold_seconds: float) -> asyncio.subprocess.Process:
        """So many calls, `rate` of them a second, each of which is hung up so long after its answer."""
        self._number += 1
        does = Caller(hang_up_seconds=hold_seconds, number=f"+86138{self._number}[call_number]")
        scenario = caller_scenario(does, "resident", line=arm)
        per_ten_seconds = (
            "-r",
            str(round(rate * 10)),
            "-rp",
            "10000",
            "-m",
            str(calls),
            "-l",
            str(calls),
            "-s",
            "1000",
        )
        return await self._sipp(f"{arm}{self._number}", scenario, addresses()[arm], *per_ten_seconds)

    async def _sipp(self, name: str, scenario: str, address: str, *options: str) -> asyncio.subprocess.Process:
        (self._folder / f"{name}.xml").write_text(scenario, encoding="latin-1")
        process = await asyncio.create_subprocess_exec(
            *(*prompt_ones(), "sipp", "-sf", f"{name}.xml", "-i", address, "-mi", address, "-p", "5060"),
            *("-mp", "10000", "-timeout", "300s", "-nostdin", "-rtp_threadtasks", "40"),
            *("-trace_err", "-error_file", f"{name}.errors"),
            *options,
            f"127.0.0.1:{self._sip_port}",
            cwd=self._folder,
            stdout=(self._folder / f"{name}.out").open("wb"),
            stderr=asyncio.subprocess.STDOUT,
        )
        self._processes.append(process)
        return process

    def must_have_phoned(self, code: int) -> None:
        """SIPp's exit code, which says whether every call of it was connected and hung up."""
        if code:
            errors = "\n".join(file.read_text(errors="replace")[-1500:] for file in self._folder.glob("*.errors"))
            sys.exit(f"calls failed (SIPp's exit code {code}):\n{errors}")

    async def stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """A call's two files, and when the first sample was spoken and the last, by the clock of `time.time`."""

    resident: Path
    agent: Path
    began: float
    ended: float


def recordings(folder: Path) -> Iterator[Recording]:
    """Those with anything in them. A file is closed when its call ends."""
    for resident in sorted(folder.glob("*-resident.wav")):
        agent = resident.with_name(resident.name.replace("-resident", "-agent"))
        found = resident.stat()
        seconds = max(0, found.st_size - 44) / 16000
        if seconds > 1 and agent.exists():
            yield Recording(resident=resident, agent=agent, began=found.st_mtime - seconds, ended=found.st_mtime)


def clear(folder: Path) -> float:
    """Forgets all recordings; the time."""
    for file in folder.glob("*.wav"):
        file.unlink()
    return time.time()
