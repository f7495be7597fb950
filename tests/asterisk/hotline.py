"""Our side of a call, whole: the connection to a real Asterisk, the call flow, a real database, folding."""

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from sqlalchemy import select

from callcenter.app.asterisk import prepare_prompts, switch_of
from callcenter.app.parts import callers_of, known_callers, rules_of
from callcenter.app.parts import on_duty as duty_of
from callcenter.clock import SystemClock
from callcenter.config import AsteriskSettings, Settings
from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow
from callcenter.db.recordings import RecordingRow
from callcenter.domain.call_orders import CallOrder, OrderKind, Party
from callcenter.domain.rings import RingRule
from callcenter.domain.transcript import Side
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.control import AsteriskControl
from callcenter.ivr.providers.asterisk.names import call_id
from callcenter.ivr.providers.asterisk.recordings import AsteriskRecordings
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ports import LiveAudio, StreamReport
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.call_outcomes import record_outcome
from callcenter.services.fold_calls import fold_pending
from callcenter.services.inbox import EventInbox
from callcenter.services.known_callers import KnownCallersInMemory
from callcenter.services.news import News
from callcenter.services.queue_call_backs import plan_queue_call_back
from callcenter.services.spool import Spool

RULE = RingRule()


@dataclass(kw_only=True)
class Written:
    """A call as it stands in the database."""

    call: CallRow
    legs: Sequence[CallLegRow]
    recordings: Sequence[RecordingRow]
    events: Sequence[CallEventRow]

    def leg(self, agent: str) -> CallLegRow:
        return next(leg for leg in self.legs if leg.agent == agent)

    def outcomes(self) -> dict[str, str]:
        return {str(leg.agent): leg.outcome for leg in self.legs}


@dataclass
class Ears:
    """The port LiveListener and LiveEar: keeps what was heard, and when it came (seconds since 1970)."""

    heard: list[tuple[float, LiveAudio]] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    reports: list[StreamReport] = field(default_factory=list)
    is_lost = False

    async def begin(self, call_id: str, *, provider: str, stream_id: str) -> "Ears":
        self.began.append(call_id)
        return self

    def hear(self, audio: LiveAudio) -> None:
        self.heard.append((time.time(), audio))

    async def end(self, report: StreamReport) -> None:
        self.reports.append(report)

    def of(self, side: Side) -> bytes:
        return b"".join(audio.pcm for _, audio in self.heard if audio.side is side)


@dataclass(kw_only=True)
class Hotline:
    """Open with `open_hotline`."""

    settings: Settings
    database: Database
    inbox: EventInbox
    switches: dict[str, AsteriskSwitch]
    control: AsteriskControl
    duty: AgentsOnDuty | None = None
    known: KnownCallersInMemory | None = None
    ears: Ears | None = None
    folds: bool = True
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def connect(self) -> None:
        self._tasks = [asyncio.create_task(switch.run()) for switch in self.switches.values()]
        async with asyncio.timeout(20):
            for switch in self.switches.values():
                await switch.connected.wait()

    async def speak_prompts(self) -> None:
        """Before the first call, as the server does at its start."""
        texts = CallFlow(self.settings.call_flow, self.settings.agents).standing_texts
        await prepare_prompts(self.switches, self.settings, texts)

    async def disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def calls(self) -> list[Written]:
        """All calls, folded as far as they have come (by a server of their own, where `folds` is off)."""
        await self.fold()
        async with self.database.read() as session:
            rows = (await session.scalars(select(CallRow).order_by(CallRow.started_at))).all()
            return [await self._written(session, row) for row in rows]

    async def fold(self) -> None:
        now = SystemClock().now
        follows = (plan_queue_call_back, functools.partial(record_outcome, rules=rules_of(self.settings)))
        while self.folds and await fold_pending(self.database, RULE, now=now(), when_folded=follows):
            pass

    async def keep_folding(self) -> None:
        """As the server does: what agents are doing follows from the calls."""
        while True:
            await self.fold()
            if self.duty is not None:
                await self.duty.look()
            await asyncio.sleep(0.1)

    def talking(self) -> list[str]:
        """The calls that are talked on, in the order in which they came."""
        return [
            call_id(name, channel)
            for name, switch in self.switches.items()
            for channel in switch.channels
            if switch.standing(channel) is not None
        ]

    async def order(self, call_id: str, kind: OrderKind, party: str) -> None:
        agents = {one.id: one for one in self.settings.agents}
        whom = None
        if party:
            phone = agents[party].phone if party in agents else party
            whom = Party(id=party, name=party, phone=phone)
        await self.control.carry_out(call_id, CallOrder(kind=kind, actor="wangmin", party=whom))

    def stands(self, call_id: str, **wanted: object) -> bool:
        standing = self.control.standing(call_id)
        return standing is not None and all(getattr(standing, name) == value for name, value in wanted.items())

    async def has_event(self, kind: str, agent: str | None = None) -> bool:
        query = select(CallEventRow).where(CallEventRow.kind == kind)
        async with self.database.read() as session:
            return any(agent in (None, event.data.get("agent")) for event in await session.scalars(query))

    async def fetched(self, folder: Path) -> dict[str, Path]:
        """Every recording, as the worker would fetch it, by its content and number: conversation-0."""
        clients = {name: switch.ari for name, switch in self.switches.items()}
        fetcher, found = AsteriskRecordings(clients, largest_bytes=10_000_000), {}
        async with self.database.read() as session:
            rows = (await session.scalars(select(RecordingRow).order_by(RecordingRow.ready_at))).all()
        for number, row in enumerate(rows):
            target = folder / f"{row.content}-{number}.wav"
            await fetcher.fetch(provider=row.provider, url=row.url, channels=row.channels, target=target)
            found[target.stem] = target
        return found

    async def _written(self, session, row: CallRow) -> Written:
        async def of(table, by):
            return (await session.scalars(select(table).where(table.call_id == row.id).order_by(by))).all()

        return Written(
            call=row,
            legs=await of(CallLegRow, CallLegRow.initiated_at),
            recordings=await of(RecordingRow, RecordingRow.id),
            events=await of(CallEventRow, CallEventRow.id),
        )

    async def ended(self, *, count: int = 1, recordings: int = 0, seconds: float = 20) -> list[Written]:
        """Waits until so many calls are over, with so many recordings in all."""
        async with asyncio.timeout(seconds):
            while True:
                found = await self.calls()
                over = [one for one in found if one.call.ended_at is not None]
                if len(over) >= count and sum(len(one.recordings) for one in over) >= recordings:
                    return over
                await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def open_hotline(
    folder: Path,
    url: str,
    servers: Sequence[AsteriskSettings],
    *,
    agents: Sequence[dict],
    call_flow: dict,
    on_duty: bool = False,
    ears: bool = False,
) -> AsyncIterator[Hotline]:
    settings = Settings.model_validate(
        {
            "server": {"data_dir": folder},
            "database": {"url": url},
            "asterisk": [server.model_dump(exclude={"password"}) | {"password": server.secret()} for server in servers],
            "agents": list(agents),
            "call_flow": {
                "notice": "您好",
                "voice_mail_prompt": "请留言",
                "voice_mail_thanks": "再见",
                "confirm_prompt": "接听请按1",
            }
            | call_flow,
        }
    )
    database, clock = Database(url), SystemClock()
    inbox = EventInbox(database, Spool(folder / "spool.sqlite"))
    await inbox.start()
    async with aiohttp.ClientSession() as session:
        duty = duty_of(settings, database, clock=clock, news=News()) if on_duty else None
        known = known_callers(settings, database)
        heard = Ears() if ears else None
        flow = CallFlow(
            settings.call_flow,
            settings.agents,
            hears_live=ears,
            available=duty.available if duty is not None else lambda: None,
        )
        callers = callers_of(settings, duty, known) if duty is not None else None
        switches = {
            one.name: switch_of(
                AriClient(one, session),
                settings,
                call_flow=flow,
                inbox=inbox,
                clock=clock,
                callers=callers,
                listener=heard,
            )
            for one in settings.asterisk
        }
        hotline = Hotline(
            settings=settings,
            database=database,
            inbox=inbox,
            switches=switches,
            control=AsteriskControl(switches),
            duty=duty,
            known=known,
            ears=heard,
        )
        folding = asyncio.create_task(hotline.keep_folding()) if on_duty else None
        try:
            yield hotline
        finally:
            if folding is not None:
                folding.cancel()
                await asyncio.gather(folding, return_exceptions=True)
            await hotline.disconnect()
            await inbox.close()
            await database.close()


class Wire:
    """A TCP line to an Asterisk's REST interface that can be cut and mended."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Every connection breaks at once, and none can be made."""
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        self._server = None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        self._open -= {writer, far_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
