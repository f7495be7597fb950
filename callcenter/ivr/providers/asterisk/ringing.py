"""Rounds of ringing on an Asterisk: the agents' phones, the first who answers, the conversation."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from callcenter.domain.calls import EndReason
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import (
    AgentPickedUp,
    AgentPressed,
    AskAgentToConfirm,
    ConnectNow,
    DialEnded,
    DialTarget,
    RingAgents,
)
from callcenter.ivr.providers.asterisk.ari import AriError, AriGone, AriRefused
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import PLAYBACK_GRACE_SECONDS, Gap, LiveCall
from callcenter.ivr.providers.asterisk.names import bridge_of, leg_channel, leg_name

log = structlog.get_logger()

OWN_GRACE_SECONDS = 3.0
"""Asterisk ends the ringing itself; where it does not, we do so much later."""
ELSEWHERE = "answered_elsewhere"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A round of ringing or a conversation that was going on already."""

    legs: Sequence[Leg]
    attempt: int


class Ringing:
    """The agents' side of one call."""

    def __init__(self, call: LiveCall) -> None:
        self._call = call
        self._ari = call.parts.ari

    async def round(self, step: RingAgents) -> DialEnded:
        """Rings all targets at once. Returns when the conversation is over, or nobody has answered."""
        await self._ari.start_ringing(self._call.id)
        legs = [await self._made(target, step) for target in step.targets]
        return await self._wait(legs, step.attempt, time.monotonic() + step.ring_seconds + OWN_GRACE_SECONDS)

    def found(self, gap: Gap) -> Found | None:
        """The newest round whose channels are there."""
        named = [(leg_name(channel.id), channel) for channel in gap.channels.values()]
        ours = [(name, channel) for name, channel in named if name is not None and name.call == self._call.id]
        if not ours:
            return None
        attempt = max(name.attempt for name, _ in ours)
        legs = []
        for name, channel in ours:
            if name.attempt != attempt:
                continue
            leg = self._call.legs.get(channel.id) or self._leg(channel.id, name.agent)
            leg.made(channel.created)
            leg.seen(channel, Moment(earliest=channel.created, latest=gap.ended, clock=gap.within.clock), lost=gap.how)
            leg.ring_seconds = self._call.parts.call_flow.ring_seconds
            legs.append(leg)
        return Found(legs=legs, attempt=attempt)

    async def go_on(self, found: Found, bridged: Sequence[str]) -> DialEnded:
        for leg in found.legs:
            await self._ari.subscribe(leg.channel)
        talking = next((leg for leg in found.legs if leg.channel in bridged and self._call.id in bridged), None)
        if talking is not None:
            talking.confirmed = talking.connected = True
            await self._until_hung_up(talking)
            return DialEnded(attempt=found.attempt, answered=True)
        longest = self._call.parts.call_flow.ring_seconds
        return await self._wait(found.legs, found.attempt, time.monotonic() + longest)

    def _leg(self, channel: str, agent: str, phone: str = "", *, must_confirm: bool | None = None) -> Leg:
        settings = self._call.parts.agents.get(agent)
        if must_confirm is None:
            must_confirm = bool(settings and settings.is_outside)
        leg = Leg(
            channel=channel,
            agent=agent,
            number=phone or (settings.phone if settings else ""),
            must_confirm=must_confirm,
            ledger=self._call.ledger,
        )
        self._call.legs[channel] = leg
        return leg

    async def _made(self, target: DialTarget, step: RingAgents) -> Leg:
        """A phone that is in a call already, is not registered or unknown, is a leg that ended at once."""
        channel = leg_channel(self._call.id, step.attempt, target.agent)
        leg = self._leg(channel, target.agent, target.phone, must_confirm=target.must_confirm)
        leg.ring_seconds = step.ring_seconds
        endpoint, variables = self._endpoint(target.phone)
        if not target.must_confirm and await self._ari.is_talking(endpoint):
            leg.not_rung(Moment.exactly(self._call.parts.clock.now()), EndReason.BUSY)
            return leg
        try:
            made = await self._ari.make(
                channel, endpoint, args=f"agent,{target.agent}", originator=self._call.id, variables=variables
            )
        except AriRefused as refused:
            now = Moment.exactly(self._call.parts.clock.now())
            if refused.status == 409:  # it is there: an answer of Asterisk was lost
                leg.made(now)
            else:
                log.warning("a phone cannot be rung", call_id=self._call.ledger.call_id, reason=str(refused))
                leg.not_rung(now, EndReason.FAILED)
        else:
            leg.made(made.created)
        return leg

    async def _dial(self, leg: Leg) -> None:
        if leg.is_dialled or leg.ended or not leg.in_app:
            return
        leg.is_dialled = True
        caller = "" if leg.must_confirm else self._call.id
        try:
            await self._ari.dial(leg.channel, seconds=leg.ring_seconds, caller=caller)
        except AriRefused as refused:
            log.warning("a phone was not dialled", call_id=self._call.ledger.call_id, reason=str(refused))
            await self._give_up(leg, EndReason.FAILED)

    def _endpoint(self, phone: str) -> tuple[str, dict[str, str]]:
        """How Asterisk rings it; outside numbers are shown the hotline's own."""
        settings = self._ari.settings
        if phone.startswith("sip:"):
            user = phone.removeprefix("sip:").split("@")[0]
            return settings.phone_endpoint.format(user=user), {}
        shown = {"CONNECTEDLINE(num,i)": settings.from_number} if settings.from_number else {}
        return settings.trunk_endpoint.format(number=phone.removeprefix("client:")), shown

    # Waiting for an answer

    async def _wait(self, legs: Sequence[Leg], attempt: int, until: float) -> DialEnded:
        while any(not leg.ended for leg in legs):
            for leg in legs:
                await self._dial(leg)
                await self._ask_to_confirm(leg)
            answered = next((leg for leg in legs if leg.is_answered), None)
            if answered is not None and await self._connected(answered, legs):
                await self._until_hung_up(answered)
                return DialEnded(attempt=attempt, answered=True)
            times = [leg.confirm_until for leg in legs if leg.confirm_until is not None and not leg.ended]
            if await self._call.next(min([until, *times])) is None:
                await self._give_up_late(legs, until)
        await self._quiet()
        return DialEnded(attempt=attempt, answered=False)

    async def _give_up_late(self, legs: Sequence[Leg], until: float) -> None:
        now = time.monotonic()
        for leg in [leg for leg in legs if not leg.ended]:
            if leg.given_up is not None and now >= until:  # its end does not come
                leg.lost(Moment.exactly(self._call.parts.clock.now()), over_time=True)
            elif now >= until if leg.confirm_until is None else now >= leg.confirm_until:
                await self._give_up(leg, EndReason.NO_ANSWER)
        if now >= until:
            await self._call.next(now + OWN_GRACE_SECONDS)

    async def _give_up(self, leg: Leg, reason: EndReason, *, said: str = "normal") -> None:
        leg.given_up = leg.given_up or reason
        leg.confirm_until = None
        await self._ari.hang_up(leg.channel, reason=said)

    async def _ask_to_confirm(self, leg: Leg) -> None:
        """An outside number has answered only once a person has pressed the key."""
        if not leg.must_confirm or leg.ended or leg.confirmed or not leg.up or leg.given_up is not None:
            return
        flow = self._call.parts.call_flow
        if not leg.asked:
            leg.asked = True
            asks = [s for s in flow.next_steps(AgentPickedUp(agent=leg.agent)) if isinstance(s, AskAgentToConfirm)]
            playing = await self._call.begin_saying(leg.channel, asks[0].prompt)
            said = playing[1] - PLAYBACK_GRACE_SECONDS if playing else time.monotonic()
            leg.confirm_until = said + asks[0].seconds
        elif leg.keys:
            pressed = AgentPressed(agent=leg.agent, digits=leg.keys[0][0])
            if any(isinstance(step, ConnectNow) for step in flow.next_steps(pressed)):
                leg.confirm(leg.keys[0][1])
                leg.confirm_until = None
            else:
                await self._give_up(leg, EndReason.CANCELLED)

    # The conversation

    async def _connected(self, leg: Leg, legs: Sequence[Leg]) -> bool:
        """False where the phone was hung up in the same moment."""
        await self._quiet()
        try:
            await self._ari.bridge(bridge_of(self._call.id), (self._call.id, leg.channel))
        except AriRefused as refused:
            log.warning(
                "an answered phone could not be connected", call_id=self._call.ledger.call_id, reason=str(refused)
            )
            await self._give_up(leg, EndReason.COMPLETED)
            return False
        leg.connected = True
        for other in legs:
            if other is not leg and not other.ended:
                await self._give_up(other, EndReason.CANCELLED, said=ELSEWHERE)
        return True

    async def _until_hung_up(self, leg: Leg) -> None:
        while not leg.ended:
            await self._call.next()

    async def _quiet(self) -> None:
        """No ringing tone any more; it may have ended by itself."""
        try:
            await self._ari.stop_ringing(self._call.id)
        except AriGone:
            return
        except AriError as error:
            log.debug("the ringing tone could not be ended", call_id=self._call.ledger.call_id, reason=str(error))
