"""One Asterisk: its events websocket, the calls on it, and what is put right after a time in which nothing was heard.

The read loop does nothing but read a message and put it into its call's queue. Events of a gap are never told again:
what there is afterwards is compared with what we knew, and what differs is written down as lost, with the gap as its
time.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import aiohttp
import structlog

from callcenter.config import AgentSettings
from callcenter.domain.call_orders import CallOrder, TalkStanding
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError
from callcenter.ivr.providers.asterisk.call import InboundCall
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.live_call import CallParts, Gap, Ordered
from callcenter.ivr.providers.asterisk.messages import AriEvent, Channel, Unreadable, read_event
from callcenter.ivr.providers.asterisk.names import INBOUND, OUTBOUND, PURPOSE, bridge_of, call_of, leg_name
from callcenter.ivr.providers.asterisk.placed_call import PlacedCall
from callcenter.ivr.providers.asterisk.prompts import Prompts
from callcenter.ivr.providers.asterisk.unheard import UnheardCalls
from callcenter.ports import Clock, LiveListener, OrderRefused, OutboundCall
from callcenter.services.inbox import EventInbox

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
REPLACED_PAUSE_SECONDS = 30.0
"""Another server took our application: it is left alone for so long."""
STOP_SECONDS = 3.0
ORDER_SECONDS = 10.0


class PlayedCall(Protocol):
    """A call that a task of its own plays."""

    id: str
    ledger: CallLedger
    queue: asyncio.Queue[AriEvent | Gap | Ordered]
    standing: TalkStanding | None

    async def run(self, found: Gap | None = None) -> None:
        """From its beginning to its end. `found`: it was going on already when we came."""
        ...


MakesCall = Callable[[CallParts, CallLedger], PlayedCall]


class AsteriskSwitch:
    """Keeps the connection while `run` runs; its calls go on without us when it is cancelled."""

    def __init__(
        self,
        ari: AriClient,
        *,
        inbox: EventInbox,
        call_flow: CallFlow,
        prompts: Prompts,
        agents: Mapping[str, AgentSettings],
        clock: Clock,
        callers: CallersOnTheLine | None = None,
        progress: ProgressOnTheLine | None = None,
        listener: LiveListener | None = None,
    ) -> None:
        self.ari = ari
        self.name = ari.settings.name
        self.prompts = prompts
        self.connected = asyncio.Event()
        self.gaps = 0
        self._inbox = inbox
        self._clock = clock
        self._parts = CallParts(
            ari=ari,
            call_flow=call_flow,
            callers=callers or CallersOnTheLine(tuple(agents.values())),
            progress=progress,
            prompts=prompts,
            agents=agents,
            clock=clock,
            listener=listener,
        )
        self._calls: dict[str, PlayedCall] = {}
        self._early: dict[str, list[AriEvent]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._unheard = UnheardCalls(ari, inbox=inbox, clock=clock, is_open=self.is_open)
        self._heard_at: datetime | None = None
        self._started_at: str | None = None
        self._replaced = False

    @property
    def open_calls(self) -> int:
        return len(self._calls)

    @property
    def channels(self) -> tuple[str, ...]:
        """Of the calls that go on, in the order in which they came."""
        return tuple(self._calls)

    def health(self) -> dict[str, Any]:
        """For /healthz."""
        return {"connected": self.connected.is_set(), "calls": self.open_calls, "connections_lost": self.gaps}

    async def run(self) -> None:
        """Connects, and connects again with growing pauses, until it is cancelled."""
        sweeping = asyncio.create_task(self._unheard.sweep(self.connected), name=f"hang-up log of {self.name}")
        try:
            await self._keep_connected()
        finally:
            sweeping.cancel()
            tasks = [sweeping, *self._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_connected(self) -> None:
        pause, said = FIRST_PAUSE_SECONDS, ""
        while True:
            try:
                socket = await self.ari.events()
            except AriError as error:
                if str(error) != said:
                    said = str(error)
                    log.error("no connection to an Asterisk; trying again", asterisk=self.name, error=said)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            pause, said = FIRST_PAUSE_SECONDS, ""
            await self._heard(socket)
            if self._replaced:
                log.critical("another server has taken the application over", asterisk=self.name)
                await asyncio.sleep(REPLACED_PAUSE_SECONDS)
                self._replaced = False

    async def _heard(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """One connection, from its beginning to its end."""
        looking = asyncio.create_task(self._look(self._heard_at), name=f"state of {self.name}")
        try:
            async for message in socket:
                self._heard_at = self._clock.now()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._route(message.data)
                if self._replaced:
                    break
        finally:
            self.connected.clear()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await socket.close()
        self.gaps += 1
        log.warning("the events of an Asterisk have ended; connecting again", asterisk=self.name)

    def _route(self, message: str) -> None:
        try:
            event = read_event(json.loads(message))
        except (ValueError, Unreadable) as error:
            log.warning("an event cannot be read", asterisk=self.name, error=str(error))
            return
        if event.type == "ApplicationReplaced":
            self._replaced = True
            return
        call = self._calls.get(self._call_of(event))
        if call is not None:
            call.queue.put_nowait(event)
        elif event.channel_id in self._early:
            self._early[event.channel_id].append(event)
        elif event.type == "StasisStart" and event.channel is not None and INBOUND in event.data.get("args", ()):
            self._take_in(event.channel, None)

    def _call_of(self, event: AriEvent) -> str:
        return call_of(event.channel_id) or event.channel_id

    def begin(self, channel: Channel, made: MakesCall, found: Gap | None = None) -> None:
        """Plays the call that `made` makes of the channel, with what was heard of it already."""
        ledger = CallLedger(server=self.name, channel=channel.id, inbox=self._inbox, clock=self._clock)
        call = made(self._parts, ledger)
        for event in self._early.pop(channel.id, ()):
            call.queue.put_nowait(event)
        self._calls[channel.id] = call
        self._tasks[channel.id] = asyncio.create_task(self._play(call, found), name=f"call {ledger.call_id}")

    @contextlib.contextmanager
    def expecting(self, channel: str) -> Iterator[None]:
        """Events of a channel that is about to be made are kept until its call begins."""
        self._early[channel] = []
        try:
            yield
        finally:
            self._early.pop(channel, None)

    def _take_in(self, channel: Channel, found: Gap | None) -> None:
        self.begin(channel, lambda parts, ledger: InboundCall(channel, parts, ledger), found)

    async def _play(self, call: PlayedCall, found: Gap | None) -> None:
        try:
            await call.run(found)
            await call.ledger.close()
            self._unheard.finished(call.id)
        except Exception:
            log.exception("a call failed; its end is taken from the hang-up log", call_id=call.ledger.call_id)
        finally:
            await call.ledger.close(seconds=STOP_SECONDS)
            self._calls.pop(call.id, None)
            self._tasks.pop(call.id, None)

    def is_open(self, channel: str) -> bool:
        return channel in self._calls

    def standing(self, channel: str) -> TalkStanding | None:
        call = self._calls.get(channel)
        return call.standing if call is not None else None

    async def carry_out(self, channel: str, order: CallOrder) -> None:
        """Raises OrderRefused."""
        call = self._calls.get(channel)
        if call is None:
            raise OrderRefused("no_such_call")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        call.queue.put_nowait(Ordered(order=order, done=done))
        try:
            await asyncio.wait_for(done, ORDER_SECONDS)
        except TimeoutError:
            raise OrderRefused("failed", f"not within {ORDER_SECONDS:.0f} s") from None

    async def take_log(self) -> None:
        """Writes down what the hang-up log knows. Raises AriError."""
        await self._unheard.take()

    # After a gap

    async def _look(self, heard_at: datetime | None) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._compare(heard_at)
                self.connected.set()
                break
            except AriError as error:
                log.warning("the state of an Asterisk cannot be seen yet", asterisk=self.name, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        await self._unheard.try_take()

    async def _compare(self, heard_at: datetime | None) -> None:
        """What there is now, against what we knew. Raises AriError."""
        began = heard_at or self._clock.now()
        channels, bridges = await self.ari.channels(), await self.ari.bridges()
        started_at = await self.ari.started_at()
        restarted = self._started_at not in (None, started_at)
        self._started_at = started_at
        gap = Gap(began=began, ended=self._clock.now(), channels=channels, bridges=bridges, restarted=restarted)
        for call in self._calls.values():
            call.queue.put_nowait(gap)
        if heard_at is not None:
            log.warning("events were lost", asterisk=self.name, since=began.isoformat(), restarted=restarted)
        for channel in channels.values():
            if channel.id not in self._calls and self._is_ours(channel):
                log.info("a call that goes on is taken up", asterisk=self.name, channel=channel.id)
                self._take_in(channel, gap)
        for channel in channels.values():
            owner = call_of(channel.id)
            if owner is not None and owner not in channels and owner not in self._calls:
                log.info("a phone whose caller has left is hung up", asterisk=self.name, channel=channel.id)
                await self.ari.hang_up(channel.id)
            if channel.id.startswith(OUTBOUND) and channel.id not in self._calls and self._is_made_by_us(channel):
                await self._take_up_or_end(channel, gap)

    async def _take_up_or_end(self, channel: Channel, gap: Gap) -> None:
        """A call of ours from before: an agent and a resident talk on; what only we would speak on is over."""
        if len(gap.bridges.get(bridge_of(channel.id), ())) > 1:
            purpose = await self.ari.variable(channel.id, PURPOSE)
            agent = next((leg.agent for leg in map(leg_name, gap.channels) if leg and leg.call == channel.id), "")
            order = OutboundCall(idempotency_key="", purpose=purpose, to_number="", speech="", agent=agent)
            log.info("a call of ours that goes on is taken up", asterisk=self.name, channel=channel.id)
            self.begin(channel, lambda parts, ledger: PlacedCall(channel, parts, ledger, order), gap)
        else:
            log.warning("a call of ours that nobody speaks on is hung up", asterisk=self.name, channel=channel.id)
            await self.ari.hang_up(channel.id)

    def _is_made_by_us(self, channel: Channel) -> bool:
        """And not by another application, nor in this moment; a phone on such a call is not the call."""
        return (
            call_of(channel.id) is None
            and channel.app_data.split(",")[0] == self.ari.settings.app
            and channel.id not in self._early
        )

    def _is_ours(self, channel: Channel) -> bool:
        return channel.app_name == "Stasis" and channel.app_data.split(",")[:2] == [self.ari.settings.app, INBOUND]
