"""A call of ours over an Asterisk: spoken, keys collected, an agent connected, and how it ended."""

import asyncio
import time
from collections.abc import Sequence

import structlog

from callcenter.domain.calls import Direction, EndReason, EventKind
from callcenter.ivr.provider import AskResident, DialTarget, Say, Step
from callcenter.ivr.providers.asterisk.agent_call import AgentCall
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriRefused, AriUnreachable
from callcenter.ivr.providers.asterisk.causes import Ending, unanswered
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import EXCHANGE, UNSEEN, CallParts, Gap, ResidentLeft
from callcenter.ivr.providers.asterisk.messages import AriEvent, Channel
from callcenter.ivr.providers.asterisk.names import bridge_of
from callcenter.ports import OutboundCall

log = structlog.get_logger()

RING_SECONDS = 30
ENTER_SECONDS = 5.0
ENDING_SECONDS = 10.0
KEY_SECONDS = 6
KEY_PROMPT = "如果您以后不希望接到我们的电话，请按9。需要其他帮助请拨打客服热线。"
AMD_CONTEXT = "callcenter-amd"
TALK = "talk"
"""Its extension that does not listen for a machine: the agent hears who is there."""
AMD_SECONDS = 8.0
LATER_SECONDS = 2.0
MACHINE = "machine_start"
HUMAN = "human"


class PlacedCall(AgentCall):
    """A call of ours, from its channel's making to its end."""

    def __init__(self, channel: Channel, parts: CallParts, ledger: CallLedger, order: OutboundCall) -> None:
        super().__init__(channel, parts, ledger)
        self._order = order
        self._in_app = asyncio.Event()
        self._detecting = False
        self._rang = False
        self._up = False
        self._ending: Ending | None = None
        self._answered_by: str | None = None
        self._agent_is_there = False

    async def run(self, found: Gap | None = None) -> None:
        """`found`: an agent and a resident talk on it already."""
        order = self._order
        self._tell(EventKind.CALL_STARTED, self.channel)
        try:
            if found is not None:
                await self._go_on(found)
            await self._until_in_app()
            agent = await self._agent_on_the_phone(order.agent) if order.agent else None
            if order.agent and agent is None:
                log.info("the agent did not come to the phone; the resident is not rung", call_id=self.ledger.call_id)
            else:
                self._agent_is_there = agent is not None
                await self._until_answered()
                await self._detect(None if agent is None else TALK)
                await self._speak(order, agent)
        except ResidentLeft:
            log.debug("a call of ours is over", call_id=self.ledger.call_id)
        except AriError as error:
            log.warning("a call of ours broke off", call_id=self.ledger.call_id, error=str(error))
        await self._finish()

    async def _go_on(self, gap: Gap) -> None:
        """Raises ResidentLeft in the end, where nothing else fails."""
        self._up = self._agent_is_there = True
        await self.parts.ari.subscribe(self.id)
        talk = self.ringing.found(gap)
        if talk is not None:
            await self.ringing.go_on(talk, gap.bridges.get(bridge_of(self.id), ()))
        await self.converse(None)

    async def _speak(self, order: OutboundCall, agent: Leg | None) -> None:
        """Raises ResidentLeft in the end, where nothing else fails."""
        if agent is None:
            await self.carry_on(_script(order))
            return
        await self.say(order.speech)
        await self.ringing.talk_with(agent)
        await self.converse(None)

    async def _agent_on_the_phone(self, agent: str) -> Leg | None:
        """The agent's own phone rings first; they hear ringing until the resident answers."""
        settings = self.parts.agents.get(agent)
        if settings is None:
            return None
        target = DialTarget(agent=settings.id, phone=settings.phone, must_confirm=settings.is_outside)
        return await self.ringing.first(target)

    async def carry_on(self, steps: Sequence[Step]) -> None:
        """Raises ResidentLeft in the end."""
        await self.converse(await self.carry_out(steps))

    async def _until_in_app(self) -> None:
        until = time.monotonic() + ENTER_SECONDS
        while not self._in_app.is_set():
            if await self.next(until) is None:
                raise AriRefused(f"{self.id} did not enter our application", status=0)

    async def _until_answered(self) -> None:
        """Raises ResidentLeft, also where the agent who ordered the call has hung up meanwhile."""
        await self.parts.ari.dial(self.id, seconds=RING_SECONDS)
        while not self._up:
            await self.next()
            if self._order.agent and all(leg.ended for leg in self.legs.values()):
                self._agent_is_there = False
                await self.parts.ari.hang_up(self.id)

    async def _detect(self, extension: str | None = None) -> None:
        """A machine or a person: Asterisk listens to the first seconds. The text is said to both, as a key decides.

        The dialplan begins the recording of what an agent and the resident say, too. `extension`: it does only that.
        """
        if extension is None and not self.parts.ari.settings.detect_machines:
            extension = TALK
        self._detecting = True
        self._in_app.clear()
        await self.parts.ari.continue_in(self.id, AMD_CONTEXT, extension or "s")
        until = time.monotonic() + AMD_SECONDS
        while not self._in_app.is_set():
            if await self.next(until) is None:
                raise AriRefused("the dialplan's callcenter-amd does not come back", status=0)
        self._detecting = False

    def _take_own(self, event: AriEvent) -> None:
        match event.type:
            case "StasisStart":
                self._in_app.set()
                said = [str(one) for one in event.data.get("args", ())]
                if said[:1] == ["amd"] and len(said) > 1:
                    self._answered_by = MACHINE if said[1:2] == ["MACHINE"] else HUMAN
                    log.info("who answered", call_id=self.ledger.call_id, by=self._answered_by, because=said[2:])
            case "StasisEnd" if self._detecting:
                return
            case "ChannelStateChange" if event.channel is not None:
                self._stands(event.channel, event)
            case "ChannelDestroyed":
                self._ending = self._ended(event)
        super()._take_own(event)

    def _stands(self, channel: Channel, event: AriEvent) -> None:
        if channel.is_ringing and not self._rang:
            self._rang = True
            self._tell(EventKind.CALL_RINGING, event)
        if channel.is_up and not self._up:
            self._up = True
            self._tell(EventKind.CALL_ANSWERED, event)

    def _ended(self, event: AriEvent) -> Ending:
        if self._up:
            return Ending(reason=EndReason.COMPLETED)
        if self._order.agent and not self._agent_is_there:
            return Ending(reason=EndReason.CANCELLED)
        return unanswered(event.number("cause"), event.number("tech_cause"), rang=self._rang)

    def _tell(self, kind: EventKind, when: AriEvent | Channel) -> None:
        at = when.created if isinstance(when, Channel) else when.at
        self.ledger.write(kind, at, data=self._who())

    def _who(self) -> dict[str, str | None]:
        return {
            "direction": Direction.OUTBOUND.value,
            "purpose_id": self._order.purpose,
            "from": self._order.from_number or self.parts.ari.settings.from_number or None,
            "to": self._order.to_number,
            "answered_by": self._answered_by,
        }

    async def _finish(self) -> None:
        """Its end is written down. One that was lost from sight ended in a way that we do not know: failed."""
        while self.ended_at is None or any(not leg.ended for leg in self.legs.values()):
            try:
                await self.hang_up_legs()
                await self.parts.ari.hang_up(self.id)
                if await self.next_of_all(time.monotonic() + ENDING_SECONDS) is None:
                    await self.look_once_more()
            except AriUnreachable as error:
                log.warning("the end of a call waits for its Asterisk", call_id=self.ledger.call_id, error=str(error))
                await self.next_of_all(time.monotonic() + ENDING_SECONDS)
        ending = self._ending or Ending(reason=EndReason.COMPLETED if self._up else EndReason.FAILED)
        lost = self.hung_up_by if self.hung_up_by in (EXCHANGE, UNSEEN) else None
        data = self._who() | {"reason": ending.reason.value, "sip_code": ending.sip_code, "hung_up_by": lost}
        self.ledger.write(EventKind.CALL_ENDED, self.ended_at, data=data)
        while any(leg.connected for leg in self.legs.values()) and not await self.recordings_written(self.ended_at):
            await self.next_of_all(time.monotonic() + LATER_SECONDS)


def _script(order: OutboundCall) -> list[Step]:
    """The same as every provider says: a reminder of a kind asks twice, others say the text and then ask."""
    prompt = (order.key_prompt or KEY_PROMPT) if order.asks_key else ""
    if not prompt:
        return [Say(text=order.speech)] * order.times
    if order.kind:
        return [_asks(order, text) for text in (order.speech, prompt)]
    if order.times == 1:
        return [Say(text=order.speech), _asks(order, prompt)]
    return [_asks(order, order.speech + prompt)] * order.times


def _asks(order: OutboundCall, text: str) -> AskResident:
    return AskResident(
        prompt=text, seconds=KEY_SECONDS, digits=1, purpose=order.purpose, kind=order.kind, asked="answer"
    )
