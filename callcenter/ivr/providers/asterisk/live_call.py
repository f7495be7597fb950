"""A call of ours on an Asterisk: its events in order, what is played to it, the keys pressed on it.

Everything that happens to it comes through one queue, in order. What is said of the world outside is told by events
only; a request that succeeds is no event. Where the connection breaks, a `Gap` comes through the same queue.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from callcenter.config import AgentSettings
from callcenter.domain.call_orders import CallOrder, TalkStanding
from callcenter.domain.calls import EventKind
from callcenter.domain.moments import Clock as WhoseClock
from callcenter.domain.moments import Moment
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriRefused
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.messages import AriEvent, Channel
from callcenter.ivr.providers.asterisk.prompts import Prompts
from callcenter.ports import Clock, LiveListener, OrderRefused

log = structlog.get_logger()

PLAYBACK_GRACE_SECONDS = 5.0
"""A prompt whose end is not told is taken as over so long after its own length."""
GOING_SECONDS = 0.5
EXCHANGE = "exchange"
UNSEEN = "unseen"


class ResidentLeft(Exception):
    """The resident's channel has left us."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Nothing was heard between two times of our clock; what there was after it.

    `restarted`: it is another process of Asterisk than before.
    """

    began: datetime
    ended: datetime
    channels: Mapping[str, Channel]
    bridges: Mapping[str, Sequence[str]]
    restarted: bool = False

    @property
    def within(self) -> Moment:
        return Moment(earliest=self.began, latest=self.ended, clock=WhoseClock.OURS)

    @property
    def how(self) -> str:
        return EXCHANGE if self.restarted else UNSEEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordered:
    """What somebody at the console wants, in its place among the events; `done` is told what came of it."""

    order: CallOrder
    done: "asyncio.Future[None]"


@dataclass(frozen=True, kw_only=True)
class CallParts:
    """What every call of one Asterisk works with."""

    ari: AriClient
    call_flow: CallFlow
    callers: CallersOnTheLine
    progress: ProgressOnTheLine | None
    prompts: Prompts
    agents: Mapping[str, AgentSettings]
    clock: Clock
    listener: LiveListener | None = None


class LiveCall:
    """A channel of ours with what happens to it: its queue, its keys, what is played to it."""

    def __init__(self, channel: Channel, parts: CallParts, ledger: CallLedger) -> None:
        self.channel = channel
        self.id = channel.id
        self.parts = parts
        self.ledger = ledger
        self.queue: asyncio.Queue[AriEvent | Gap | Ordered] = asyncio.Queue()
        self.legs: dict[str, Leg] = {}
        self.keys: list[str] = []
        self._key_at: datetime | None = None
        self.has_left = False
        self.ended_at: datetime | Moment | None = None
        self.hung_up_by: str | None = None
        self.obeys: Callable[[CallOrder], Awaitable[None]] | None = None
        self.standing: TalkStanding | None = None
        self._is_paused = False
        self.ordered = int(time.time()) % 90_000
        """Counts the phones rung by order, on from the time of day: none is named twice after a restart."""
        self._over: set[str] = set()
        self._played = 0

    @property
    def is_paused(self) -> bool:
        """The recording is: what is said now is kept nowhere."""
        return self._is_paused

    @is_paused.setter
    def is_paused(self, paused: bool) -> None:
        self._is_paused = paused
        self.mute_live(paused)

    def mute_live(self, muted: bool) -> None:
        """Nobody hears this call live."""

    async def next(self, until: float | None = None) -> AriEvent | Gap | Ordered | None:
        """What happens next, already taken; None where nothing did until then. Raises ResidentLeft."""
        happened = await self.next_of_all(until)
        if self.has_left:
            raise ResidentLeft
        return happened

    async def next_of_all(self, until: float | None = None) -> AriEvent | Gap | Ordered | None:
        """As `next`, also after the resident has left."""
        try:
            async with asyncio.timeout(None if until is None else max(0.0, until - time.monotonic())):
                happened = await self.queue.get()
        except TimeoutError:
            return None
        if isinstance(happened, Gap):
            await self._take_gap(happened)
        elif isinstance(happened, Ordered):
            await self._take_order(happened)
        else:
            self._take(happened)
        return happened

    async def _take_order(self, ordered: Ordered) -> None:
        """Whoever asked is told; the call goes on whatever became of it."""
        try:
            if self.obeys is None:
                raise OrderRefused("not_talking")
            await self.obeys(ordered.order)
        except (OrderRefused, AriError) as error:
            refused = error if isinstance(error, OrderRefused) else OrderRefused("failed", str(error))
            log.warning("an order was not carried out", call_id=self.ledger.call_id, reason=str(refused))
            if not ordered.done.done():
                ordered.done.set_exception(refused)
        else:
            if not ordered.done.done():
                ordered.done.set_result(None)

    def _take(self, event: AriEvent) -> None:
        leg = self.legs.get(event.channel_id)
        if event.type in ("PlaybackFinished", "RecordingFinished", "RecordingFailed"):
            part = event.part("playback") or event.part("recording")
            self._over.add(str(part.get("id") or part.get("name")))
        elif leg is not None:
            leg.take(event)
            if leg.watches:
                return
            self._take_hold(event)
            if event.type == "ChannelHangupRequest" and leg.given_up is None:
                self.hung_up_by = self.hung_up_by or "agent"
        elif event.channel_id == self.id:
            self._take_own(event)

    def _take_hold(self, event: AriEvent) -> None:
        """The agent's phone says so; the resident hears music meanwhile."""
        kinds = {"ChannelHold": EventKind.CALL_HELD, "ChannelUnhold": EventKind.CALL_RESUMED}
        if event.type in kinds:
            self.ledger.write(kinds[event.type], event.at, key=f"{event.at:%H%M%S.%f}")

    def _take_own(self, event: AriEvent) -> None:
        match event.type:
            case "ChannelDtmfReceived":
                self.keys.append(event.text("digit"))
                self._key_at = event.at
            case "ChannelHangupRequest":
                self.hung_up_by = self.hung_up_by or "resident"
            case "StasisEnd":
                self.has_left = True
            case "ChannelDestroyed":
                self.has_left = True
                self.ended_at = self.ended_at or event.at

    async def _take_gap(self, gap: Gap) -> None:
        for leg in [leg for leg in self.legs.values() if not leg.ended]:
            seen = gap.channels.get(leg.channel)
            if seen is None:
                leg.lost(gap.within, over_time=False, lost=gap.how)
            else:
                leg.seen(seen, gap.within, lost=gap.how)
        if self.id not in gap.channels:
            self.has_left = True
            self.ended_at = self.ended_at or gap.within
            self.hung_up_by = gap.how
        else:
            await self.parts.ari.subscribe(self.id)

    # What a caller hears and presses

    async def say(self, text: str, *, until_key: bool = False) -> None:
        """Returns when it has been said, or a key pressed. What cannot be spoken is left out."""
        playback = await self.begin_saying(self.id, text)
        if playback is None:
            return
        name, until = playback
        while name not in self._over:
            if until_key and self.keys:
                await self.parts.ari.stop_playing(name)
                return
            happened = await self.next(until)
            if happened is None or (isinstance(happened, Gap) and not await self.parts.ari.is_playing(name)):
                return

    async def begin_saying(self, channel: str, text: str) -> tuple[str, float] | None:
        """The playback's name and when it is over at the latest."""
        try:
            prompt = await self.parts.prompts.of(text)
        except Exception:
            log.exception("a text cannot be spoken; leaving it out", call_id=self.ledger.call_id)
            return None
        self._played += 1
        name = f"{channel}-prompt-{self._played}-{time.monotonic_ns() % 1_000_000}"
        try:
            await self.parts.ari.play(channel, name, prompt.media)
        except AriRefused as refused:
            log.warning("a prompt was not played", call_id=self.ledger.call_id, reason=str(refused))
            return None
        return name, time.monotonic() + prompt.seconds + PLAYBACK_GRACE_SECONDS

    async def ask(self, prompt: str, *, seconds: float, most: int, end: str = "") -> str:
        """Keys pressed while it is said or within `seconds` after it or after the last key; empty: none."""
        await self.say(prompt, until_key=True)
        until, seen = time.monotonic() + seconds, len(self.keys)
        while len(self.keys) < most and not (end and end in self.keys):
            if await self.next(until) is None:
                break
            if len(self.keys) > seen:
                until, seen = time.monotonic() + seconds, len(self.keys)
        pressed = "".join(self.keys).split(end)[0] if end else "".join(self.keys[:most])
        self.keys.clear()
        return pressed

    def pressed(self, purpose: str, digits: str) -> None:
        if digits:
            at = self._key_at or Moment.exactly(self.parts.clock.now())
            self.ledger.write(EventKind.KEY_PRESSED, at, key=purpose, data={"purpose": purpose, "digits": digits[:32]})

    async def until_over(self, name: str, until: float) -> None:
        """Until this recording or playback is over."""
        while name not in self._over:
            happened = await self.next(until)
            if happened is None:
                return
            if isinstance(happened, Gap) and not await self.parts.ari.is_recording(name):
                return

    # The end

    async def leave_if_gone(self) -> None:
        """What fails on a channel that is going away is no failure. Raises ResidentLeft."""
        while await self.next(time.monotonic() + GOING_SECONDS) is not None:
            continue
        await self.look_once_more()
        if self.ended_at is not None:
            raise ResidentLeft

    async def look_once_more(self) -> None:
        """An end that was not told in time: whether it has come."""
        now = self.parts.clock.now()
        channels = await self.parts.ari.channels()
        for leg in [leg for leg in self.legs.values() if not leg.ended and leg.channel not in channels]:
            leg.lost(Moment.exactly(now), over_time=False, lost=UNSEEN)
        if self.id not in channels:
            self.ended_at = self.ended_at or Moment.exactly(now)
