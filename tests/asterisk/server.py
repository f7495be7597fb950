"""The real server as a process of its own, which can be killed."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
from sqlalchemy import select

from callcenter.app.parts import rules_of
from callcenter.clock import SystemClock
from callcenter.config import REPOSITORY
from callcenter.db.recordings import SegmentRow
from callcenter.db.reminders import ReminderAttemptRow, ReminderRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.demo.telephony.exchange import PASSWORD, free_port_tcp
from callcenter.services.call_now import call_now

if TYPE_CHECKING:
    from tests.asterisk.play import Stage


@dataclass(kw_only=True)
class TicketOfCall:
    """What a call came to."""

    call_id: str
    number: str
    category: str | None
    transcript: str
    reminders: list[str]


class Server:
    """`callcenter serve` on the scenario's application and database."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self._port = free_port_tcp()
        self._process: asyncio.subprocess.Process | None = None
        self._config = stage.folder / "callcenter.toml"
        asterisk = stage.hotline.settings.asterisk[0]
        settings = stage.hotline.settings
        tables = {
            "server": {"port": self._port, "data_dir": str(stage.folder / "server")},
            "database": {"url": settings.database.url},
            "call_flow": {
                "notice": settings.call_flow.notice,
                "voice_mail_prompt": settings.call_flow.voice_mail_prompt,
                "ring_seconds": settings.call_flow.ring_seconds,
            },
            "speech": {"processes": 1},
            "log": {"level": "info"},
        }
        lists = {
            "asterisk": [
                {"name": asterisk.name, "url": asterisk.url, "password": PASSWORD, "app": asterisk.app}
                | {"prompts_dir": str(asterisk.prompts_dir), "trunk_endpoint": asterisk.trunk_endpoint}
            ],
            "agents": [{"id": one.id, "name": one.name, "phone": one.phone} for one in settings.agents],
        }
        text = "".join(f"[{name}]\n{_lines(table)}" for name, table in tables.items())
        text += "".join(f"[[{name}]]\n{_lines(table)}" for name, found in lists.items() for table in found)
        self._config.write_text(text, encoding="utf-8")

    async def start(self) -> None:
        """Returns when it has its connection to Asterisk."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "callcenter", "--config", str(self._config), "serve"),
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(self._stage.folder / "server.out").open("ab"),
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await self._is_connected(session):
                assert self._process.returncode is None, "the server has ended; see server.out"
                await asyncio.sleep(0.1)

    async def _is_connected(self, session: aiohttp.ClientSession) -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/healthz") as response:
                found = await response.json()
        except (aiohttp.ClientError, OSError):
            return False
        return bool(found.get("asterisk", {}).get(self._stage.hotline.settings.asterisk[0].name, {}).get("connected"))

    async def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(self._process.wait(), 30)

    async def tickets(self, count: int) -> list[TicketOfCall]:
        """Waits until so many calls have theirs."""
        async with asyncio.timeout(60):
            while True:
                found = await self._tickets()
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.3)

    async def _tickets(self) -> list[TicketOfCall]:
        async with self._stage.hotline.database.read() as session:
            links = await session.execute(
                select(TicketCallRow.call_id, TicketRow)
                .join(TicketRow, TicketRow.id == TicketCallRow.ticket_id)
                .order_by(TicketCallRow.call_id)
            )
            found = []
            for call_id, ticket in links.all():
                said = await session.scalars(select(SegmentRow.text).where(SegmentRow.call_id == call_id))
                owed = await session.scalars(select(ReminderRow.kind).where(ReminderRow.ticket_id == ticket.id))
                found.append(
                    TicketOfCall(
                        call_id=call_id,
                        number=ticket.number,
                        category=ticket.category,
                        transcript="".join(said),
                        reminders=sorted(owed),
                    )
                )
            return found

    async def called_back(self, ticket: str) -> str:
        """Somebody clicks "call now" on the ticket; what came of the call-back that was owed."""
        database = self._stage.hotline.database
        ordered = await call_now(
            database,
            ticket,
            actor="hewen",
            now=SystemClock().now(),
            rules=rules_of(self._stage.hotline.settings),
        )
        query = select(ReminderAttemptRow.outcome).where(ReminderAttemptRow.reminder_id == ordered.reminder_id)
        async with asyncio.timeout(60):
            while True:
                async with database.read() as session:
                    found = (await session.scalars(query)).all()
                if found and found[0]:
                    return str(found[0])
                await asyncio.sleep(0.2)


def _lines(table: dict[str, object]) -> str:
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in table.items()) + "\n"
