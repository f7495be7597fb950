"""Phones on one call: made, dialled, asked for a key, given up."""

import time
from collections.abc import Iterable

import structlog

from callcenter.domain.calls import EndReason
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import AgentPickedUp, AgentPressed, AskAgentToConfirm, ConnectNow, DialTarget
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriGone, AriRefused
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import PLAYBACK_GRACE_SECONDS, LiveCall

log = structlog.get_logger()


class Phones:
    """What is done with the phones of one call, whoever they are rung for."""

    def __init__(self, call: LiveCall) -> None:
        self._call = call
        self._ari = call.parts.ari

    def leg(
        self, channel: str, agent: str, phone: str = "", *, must_confirm: bool | None = None, watches: bool = False
    ) -> Leg:
        settings = self._call.parts.agents.get(agent)
        if must_confirm is None:
            must_confirm = bool(settings and settings.is_outside)
        leg = Leg(
            channel=channel,
            agent=agent,
            number=phone or (settings.phone if settings else ""),
            must_confirm=must_confirm,
            ledger=self._call.ledger,
            watches=watches,
            name=settings.name if settings else "",
        )
        self._call.legs[channel] = leg
        return leg

    async def made(self, channel: str, target: DialTarget, *, ring_seconds: int, watches: bool = False) -> Leg:
        """A phone that is in a call already, is not registered or unknown, is a leg that ended at once."""
        leg = self.leg(channel, target.agent, target.phone, must_confirm=target.must_confirm, watches=watches)
        leg.ring_seconds = ring_seconds
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

    async def dial(self, leg: Leg) -> None:
        if leg.is_dialled or leg.ended or not leg.in_app:
            return
        leg.is_dialled = True
        caller = "" if leg.must_confirm else self._call.id
        try:
            await self._ari.dial(leg.channel, seconds=leg.ring_seconds, caller=caller)
        except AriRefused as refused:
            log.warning("a phone was not dialled", call_id=self._call.ledger.call_id, reason=str(refused))
            await self.give_up(leg, EndReason.FAILED)

    def _endpoint(self, phone: str) -> tuple[str, dict[str, str]]:
        """How Asterisk rings it; outside numbers are shown the hotline's own."""
        settings = self._ari.settings
        if phone.startswith("sip:"):
            user = phone.removeprefix("sip:").split("@")[0]
            return settings.phone_endpoint.format(user=user), {}
        shown = {"CONNECTEDLINE(num,i)": settings.from_number} if settings.from_number else {}
        return settings.trunk_endpoint.format(number=phone.removeprefix("client:")), shown

    async def give_up(self, leg: Leg, reason: EndReason, *, said: str = "normal") -> None:
        leg.given_up = leg.given_up or reason
        leg.confirm_until = None
        await self._ari.hang_up(leg.channel, reason=said)

    async def ask_to_confirm(self, leg: Leg) -> None:
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
                await self.give_up(leg, EndReason.CANCELLED)

    async def give_up_late(self, legs: Iterable[Leg], until: float) -> None:
        """Those whose time is over: nobody answered, or pressed the key."""
        now = time.monotonic()
        for leg in [leg for leg in legs if not leg.ended]:
            if leg.given_up is not None and now >= until:  # its end does not come
                leg.lost(Moment.exactly(self._call.parts.clock.now()), over_time=True)
            elif now >= until if leg.confirm_until is None else now >= leg.confirm_until:
                await self.give_up(leg, EndReason.NO_ANSWER)

    async def ring_tone(self, channel: str) -> None:
        """What is heard by who waits for an answer; a channel that has just gone hears nothing."""
        try:
            await self._ari.start_ringing(channel)
        except AriRefused as refused:
            log.debug("no ringing tone", call_id=self._call.ledger.call_id, reason=str(refused))

    async def quiet(self, channel: str) -> None:
        """No ringing tone any more; it may have ended by itself."""
        try:
            await self._ari.stop_ringing(channel)
        except AriGone:
            return
        except AriError as error:
            log.debug("the ringing tone could not be ended", call_id=self._call.ledger.call_id, reason=str(error))
