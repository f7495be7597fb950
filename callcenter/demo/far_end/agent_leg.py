"""One agent's phone that a Dial rings: reports its progress, answers, refuses, rings out, confirms by a key."""

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urljoin

from callcenter.demo.call_toml import AgentTable
from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.line import Line, LineClosed
from callcenter.demo.far_end.patience import Patience
from callcenter.demo.far_end.people import agents_hand
from callcenter.demo.far_end.resources import ProviderCall
from callcenter.demo.far_end.status import StatusReports
from callcenter.demo.far_end.twiml import Dial, Noun
from callcenter.demo.far_end.virtual_time import Part, VirtualTime
from callcenter.demo.far_end.webhooks import ServerFailed

DIALLING_SECONDS = 0.3
"""From Dial to the first report."""
SETUP_SECONDS = 0.7
"""From there until the phone rings, or is found busy."""
SIP_BUSY, SIP_CANCELLED, SIP_DECLINED = 486, 487, 603


class LegCancelled(Exception):
    """Nobody waits for this phone any more: the caller hung up, or another phone was first."""


class LegReleased(Exception):
    """The conversation is over."""


@dataclass(kw_only=True)
class LegContext:
    """What all phones of one Dial share. `url`: whose document dials; `bridged`: the first that is connected."""

    exchange: Exchange
    time: VirtualTime
    dial: Dial
    dialler: Part
    patience: Patience
    randomness: Random
    url: str
    bridged: "AgentLeg | None" = None
    legs: "list[AgentLeg]" = field(default_factory=list)


class AgentLeg:
    def __init__(self, context: LegContext, call: ProviderCall, noun: Noun, agent: AgentTable) -> None:
        self.call = call
        self.part: Part | None = None
        self.context = context
        self._time = context.time
        self._noun = noun
        self._agent = agent
        self._rings = False
        self._reports = StatusReports(
            context.exchange,
            call,
            context.time,
            url=urljoin(context.url, noun.status_callback) if noun.status_callback else None,
            events=noun.status_events,
            randomness=context.randomness,
        )

    @property
    def is_bridged(self) -> bool:
        return self.context.bridged is self

    async def ring(self) -> None:
        """From dialling to the leg's end."""
        status, sip_code = "canceled", SIP_CANCELLED
        try:
            status, sip_code = await self._until_answered_or_not(self.context.dial.timeout_seconds)
            if status == "in-progress":
                status, sip_code = await self._answered()
        except LegCancelled:
            if self.call.answered_at is not None:
                status, sip_code = "completed", 200
        self._stop_ringing()
        self.call.end(self._time.now, status, sip_code if status != "completed" else None)
        await self._reports.report("completed", status)

    async def _until_answered_or_not(self, timeout_seconds: float) -> tuple[str, int]:
        await self._time.sleep(DIALLING_SECONDS)
        await self._reports.report("initiated", "initiated")
        await self._time.sleep(SETUP_SECONDS)
        if self._agent.does == "busy":
            return "busy", SIP_BUSY
        self.call.status = "ringing"
        self._rings = True
        self.context.patience.ring_started()
        await self._reports.report("ringing", "ringing")
        rings_seconds = timeout_seconds - DIALLING_SECONDS - SETUP_SECONDS
        wanted = self._agent.ring_seconds
        if wanted is None or wanted >= rings_seconds:
            await self._time.sleep(rings_seconds)
            return "no-answer", SIP_CANCELLED
        await self._time.sleep(wanted)
        return ("busy", SIP_DECLINED) if self._agent.does == "refuses" else ("in-progress", 200)

    async def _answered(self) -> tuple[str, int]:
        self.call.answer(self._time.now)
        await self._reports.report("answered", "in-progress")
        if self._noun.url is not None and not await self._accepts(self._noun.url):
            return "completed", 200
        if self.context.bridged is not None:
            raise LegCancelled
        self._stop_ringing()
        self.context.bridged = self
        self._time.wake(self.context.dialler)
        with suppress(LegReleased):
            await self._time.park()
        return "completed", 200

    async def _accepts(self, url: str) -> bool:
        """Carries out the document for this phone's ear; whoever is still there at its end is connected."""
        line = Line(self.context.exchange, self.call, self._time, agents_hand(self._agent))
        try:
            await line.follow(urljoin(self.context.url, url))
        except LineClosed:
            return False
        except ServerFailed as error:
            self.context.exchange.journal.problems.append(str(error))
            return False
        return True

    def _stop_ringing(self) -> None:
        """The caller hears ringing until connected, also while the agent listens to the document."""
        if self._rings:
            self._rings = False
            self.context.patience.ring_stopped()
