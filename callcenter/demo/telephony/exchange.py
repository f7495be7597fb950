"""A real Asterisk in a folder of its own, with the configuration templates of `deploy/asterisk/`."""

import asyncio
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from callcenter.config import REPOSITORY, AsteriskSettings

TEMPLATES = REPOSITORY / "deploy" / "asterisk"
PASSWORD = secrets.token_hex(16)
LIBRARIES = "usr/lib/x86_64-linux-gnu"


def asterisk_command() -> list[str] | None:
    """How it is started: the one in ASTERISK_ROOT (see get-asterisk.sh), else the system's; None: there is none."""
    root = os.environ.get("ASTERISK_ROOT")
    if root:
        lib = f"{root}/{LIBRARIES}"
        path = ":".join([lib, *(f"{lib}/{part}" for part in ("blas", "lapack", "pulseaudio"))])
        loader = f"{root}/usr/lib64/ld-linux-x86-64.so.2"
        return [loader, "--library-path", path, f"{root}/usr/sbin/asterisk"] if Path(loader).exists() else None
    found = shutil.which("asterisk")
    return [found] if found else None


def prompt_ones() -> tuple[str, ...]:
    """Before the command of a phone or an exchange, which are machines of their own: no test of ours slows them."""
    return ("nice", "-n", "-15") if os.geteuid() == 0 and shutil.which("nice") else ()


def _system(part: str) -> str:
    return f"{os.environ.get('ASTERISK_ROOT', '')}/{part}"


def free_port_tcp() -> int:
    return free_port(socket.SOCK_STREAM)


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ExchangeFailed(Exception):
    """Asterisk does not run; the message says why."""


class Exchange:
    """One Asterisk. `pjsip` is what stands in the place of the template's trunk and phones.

    `dialplan` is read after the template's; two ports of RTP a leg are taken from `rtp_from` on.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        pjsip: str,
        agents: Sequence[str] = (),
        dialplan: str = "",
        rtp_from: int = 20000,
        rtp_ports: int = 1000,
    ) -> None:
        self.folder, self.name = folder, name
        self.sip_port = free_port(socket.SOCK_DGRAM)
        self.http_port = free_port(socket.SOCK_STREAM)
        self.prompts = folder / "prompts"
        self._etc = folder / "etc"
        self._process: asyncio.subprocess.Process | None = None
        self._configure(pjsip, agents, dialplan, range(rtp_from, rtp_from + rtp_ports))

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ExchangeFailed("Asterisk has not been started")
        return self._process.pid

    @property
    def recordings(self) -> Path:
        return self.folder / "spool" / "recording"

    def settings(self, app: str, *, port: int | None = None) -> AsteriskSettings:
        return AsteriskSettings.model_validate(
            {
                "name": self.name,
                "url": f"http://127.0.0.1:{port or self.http_port}",
                "password": PASSWORD,
                "app": app,
                "trunk_endpoint": "PJSIP/{number}",
                "prompts_dir": self.prompts,
            }
        )

    def _configure(self, pjsip: str, agents: Sequence[str], dialplan: str, rtp: range) -> None:
        for part in ("etc", "lib", "spool/recording", "run", "log/cdr-csv", "prompts"):
            (self.folder / part).mkdir(parents=True)
        changes = {
            "extensions.conf": [
                ("CALLCENTER_RECORDINGS=/var/spool/asterisk/recording", f"CALLCENTER_RECORDINGS={self.recordings}"),
                ("CALLCENTER_PROMPTS=/var/lib/callcenter-prompts", f"CALLCENTER_PROMPTS={self.prompts}"),
                ("CALLCENTER_AGENTS=hewen,zhaolei", f"CALLCENTER_AGENTS={','.join(agents)}"),
                ("CALLCENTER_RING_SECONDS=20", "CALLCENTER_RING_SECONDS=6"),
            ],
            "ari.conf": [("CHANGE-ME", PASSWORD)],
            "manager.conf": [("CHANGE-ME", PASSWORD), ("port = 5038", f"port = {free_port(socket.SOCK_STREAM)}")],
            "http.conf": [("bindport = 8088", f"bindport = {self.http_port}")],
            "amd.conf": [],
            "rtp.conf": [
                ("rtpstart = 20000", f"rtpstart = {rtp[0]}"),
                ("rtpend = 20999", f"rtpend = {rtp[-1]}"),
            ],
            "indications.conf": [],
            "modules.conf": [],
            "pjsip.conf": [("bind = 0.0.0.0:5060", f"bind = 127.0.0.1:{self.sip_port}")],
        }
        for name, replaced in changes.items():
            text = (TEMPLATES / name).read_text(encoding="utf-8")
            if name == "pjsip.conf":
                text = text[: text.index("; --- The trunk")] + pjsip
            if name == "extensions.conf":
                text += dialplan
            for before, after in replaced:
                if before not in text:
                    raise ExchangeFailed(f"deploy/asterisk/{name}: {before!r} does not stand there any more")
                text = text.replace(before, after)
            (self._etc / name).write_text(text, encoding="utf-8")
        for name in ("cdr", "queues"):
            (self._etc / f"{name}.conf").write_text("[general]\n", encoding="utf-8")
        (self._etc / "logger.conf").write_text("[general]\n[logfiles]\nfull=notice,warning,error\n", encoding="utf-8")
        folders = {
            "astetcdir": self._etc,
            "astmoddir": _system(f"{LIBRARIES}/asterisk/modules"),
            "astvarlibdir": self.folder / "lib",
            "astdbdir": self.folder / "lib",
            "astdatadir": _system("usr/share/asterisk"),
            "astspooldir": self.folder / "spool",
            "astrundir": self.folder / "run",
            "astlogdir": self.folder / "log",
        }
        written = "\n".join(f"{name}={path}" for name, path in folders.items())
        (self._etc / "asterisk.conf").write_text(f"[directories]\n{written}\n", encoding="utf-8")

    async def start(self) -> None:
        command = asterisk_command()
        if command is None:
            raise ExchangeFailed("Asterisk is not installed")
        self._process = await asyncio.create_subprocess_exec(
            *(*prompt_ones(), *command, "-f", "-C", str(self._etc / "asterisk.conf")),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self.folder / "log" / "stdout").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_up(session):
                if self._process.returncode is not None:
                    raise ExchangeFailed(f"Asterisk has ended ({self._process.returncode}); see {self.folder / 'log'}")
                await asyncio.sleep(0.1)

    async def _is_up(self, session: aiohttp.ClientSession) -> bool:
        """It answers, and its SIP stack is loaded."""
        headers = {"Authorization": aiohttp.encode_basic_auth("callcenter", PASSWORD)}
        base = f"http://127.0.0.1:{self.http_port}/ari/asterisk"
        try:
            async with session.get(f"{base}/modules/app_mixmonitor.so", headers=headers) as response:
                found = await response.json()
            async with session.get(f"{base}/info?only=status", headers=headers) as response:
                started = await response.json()
        except (aiohttp.ClientError, OSError, ValueError):
            return False
        return found.get("status") == "Running" and "status" in started

    async def kill(self) -> None:
        """As a crash does: no call is ended, no file closed."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
