"""Rounds of ringing on an Asterisk: the agents' phones, the first who answers, the conversation."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from callcenter.domain.calls import EndReason
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import DialEnded, DialTarget, RingAgents
from callcenter.ivr.providers.asterisk.ari_errors import AriRefused
from callcenter.ivr.providers.asterisk.conversation import Conversation
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import Gap, LiveCall
from callcenter.ivr.providers.asterisk.names import ORDERED, bridge_of, leg_channel, leg_name
from callcenter.ivr.providers.asterisk.phones import Phones

log = structlog.get_logger()

OWN_GRACE_SECONDS = 3.0
"""Asterisk ends the ringing itself; where it does not, we do so much later."""
ELSEWHERE = "answered_elsewhere"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Ringing or a conversation that was going on already."""

    legs: Sequence[Leg]
    attempt: int


class Ringing:
    """The agents' side of one call."""

    def __init__(self, call: LiveCall) -> None:
        self._call = call
        self._ari = call.parts.ari
        self._phones = Phones(call)

    async def round(self, step: RingAgents) -> DialEnded:
        """Rings all targets at once. Returns when the conversation is over, or nobody has answered."""
        await self._ari.start_ringing(self._call.id)
        legs = [
            await self._phones.made(
                leg_channel(self._call.id, step.attempt, target.agent), target, ring_seconds=step.ring_seconds
            )
            for target in step.targets
        ]
        return await self._wait(legs, step.attempt, time.monotonic() + step.ring_seconds + OWN_GRACE_SECONDS)

    async def first(self, target: DialTarget) -> Leg | None:
        """Rings an agent before the resident; None where they do not come to the phone. They hear ringing then."""
        seconds = self._call.parts.call_flow.ring_seconds
        until = time.monotonic() + seconds + OWN_GRACE_SECONDS
        leg = await self._phones.made(leg_channel(self._call.id, 0, target.agent), target, ring_seconds=seconds)
        while not leg.ended:
            await self._phones.dial(leg)
            await self._phones.ask_to_confirm(leg)
            if leg.is_answered:
                await self._phones.ring_tone(leg.channel)
                return leg
            if await self._call.next(until if leg.confirm_until is None else leg.confirm_until) is None:
                await self._phones.give_up_late([leg], until)
        return None

    async def talk_with(self, leg: Leg) -> None:
        """The agent who was rung first and the resident, until either hangs up. Raises ResidentLeft."""
        await self._phones.quiet(leg.channel)
        if await self._connected(leg, [leg]):
            await Conversation(self._call, [leg], attempt=0).until_over()

    def found(self, gap: Gap) -> Found | None:
        """What is there of a round, and of phones that were called since."""
        named = [(leg_name(channel.id), channel) for channel in gap.channels.values()]
        ours = [(name, channel) for name, channel in named if name is not None and name.call == self._call.id]
        if not ours:
            return None
        legs = []
        for name, channel in ours:
            leg = self._call.legs.get(channel.id) or self._phones.leg(channel.id, name.agent)
            leg.made(channel.created)
            leg.seen(channel, Moment(earliest=channel.created, latest=gap.ended, clock=gap.within.clock), lost=gap.how)
            leg.ring_seconds = self._call.parts.call_flow.ring_seconds
            legs.append(leg)
        return Found(legs=legs, attempt=max((n.attempt for n, _ in ours if n.attempt < ORDERED), default=0))

    async def go_on(self, found: Found, bridged: Sequence[str]) -> DialEnded:
        """Whoever talked talks on, together: also a resident who was held, since nobody knows any more for whom."""
        for leg in found.legs:
            await self._ari.subscribe(leg.channel)
        talking = [leg for leg in found.legs if leg.channel in bridged and leg.up]
        if talking:
            for leg in found.legs:
                if leg in talking:
                    leg.confirmed = leg.connected = True
                elif not leg.ended:
                    await self._phones.give_up(leg, EndReason.CANCELLED)
            talk = Conversation(self._call, talking, attempt=found.attempt)
            if self._call.id not in bridged:
                await talk.take_back()
            return await talk.until_over()
        longest = self._call.parts.call_flow.ring_seconds
        return await self._wait(found.legs, found.attempt, time.monotonic() + longest)

    # Waiting for an answer

    async def _wait(self, legs: Sequence[Leg], attempt: int, until: float) -> DialEnded:
        while any(not leg.ended for leg in legs):
            for leg in legs:
                await self._phones.dial(leg)
                await self._phones.ask_to_confirm(leg)
            answered = next((leg for leg in legs if leg.is_answered), None)
            if answered is not None and await self._connected(answered, legs):
                return await Conversation(self._call, [answered], attempt=attempt).until_over()
            times = [leg.confirm_until for leg in legs if leg.confirm_until is not None and not leg.ended]
            if await self._call.next(min([until, *times])) is None:
                await self._phones.give_up_late(legs, until)
                if time.monotonic() >= until:
                    await self._call.next(time.monotonic() + OWN_GRACE_SECONDS)
        await self._phones.quiet(self._call.id)
        return DialEnded(attempt=attempt, answered=False)

    # The conversation

    async def _connected(self, leg: Leg, legs: Sequence[Leg]) -> bool:
        """False where the phone was hung up in the same moment."""
        await self._phones.quiet(self._call.id)
        try:
            await self._ari.bridge(bridge_of(self._call.id), (self._call.id, leg.channel))
        except AriRefused as refused:
            log.warning(
                "an answered phone could not be connected", call_id=self._call.ledger.call_id, reason=str(refused)
            )
            await self._phones.give_up(leg, EndReason.COMPLETED)
            return False
        leg.connected = True
        for other in legs:
            if other is not leg and not other.ended:
                await self._phones.give_up(other, EndReason.CANCELLED, said=ELSEWHERE)
        return True
