"""The resident and whoever talks to them: held, passed on, three together, until nobody is left to talk to."""

import time
from collections.abc import Sequence
from typing import Any

import structlog

from callcenter.domain.call_orders import SUPERVISION, CallOrder, Consulted, OrderKind, Party, TalkStanding
from callcenter.domain.calls import EndReason, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import DialEnded, DialTarget
from callcenter.ivr.providers.asterisk.ari_errors import AriError
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import LiveCall
from callcenter.ivr.providers.asterisk.names import ORDERED, bridge_of, leg_channel
from callcenter.ivr.providers.asterisk.phones import Phones
from callcenter.ivr.providers.asterisk.supervision import Supervision
from callcenter.ports import OrderRefused

log = structlog.get_logger()

GRACE_SECONDS = 3.0
KEYS_TOGETHER_SECONDS = 3.0
NOBODY = TalkStanding()


class Conversation:
    """One of one call. Orders come through the call's queue, between its events."""

    def __init__(self, call: LiveCall, talking: Sequence[Leg], *, attempt: int) -> None:
        self._call = call
        self._ari = call.parts.ari
        self._phones = Phones(call)
        self._supervision = Supervision(call)
        self._bridge = bridge_of(call.id)
        self._attempt = attempt
        self._talking = list(talking)
        self._party: Leg | None = None
        self._ringing_until = 0.0
        self._passed_on_by: Leg | None = None
        self._is_blind = False
        self._nobody_answered = False
        for leg in talking:
            leg.keys.clear()

    @property
    def _standing(self) -> TalkStanding:
        return self._call.standing or NOBODY

    def _stands(self, **fields: Any) -> None:
        self._call.standing = self._standing.changed(**fields)

    async def until_over(self) -> DialEnded:
        """Raises ResidentLeft."""
        self._call.standing = TalkStanding(recording_paused=self._call.is_paused)
        self._call.obeys = self._obey
        self._call.parts.call_flow.gone(self._call.ledger.call_id)
        try:
            while True:
                await self._advance()
                if self._nobody_answered:
                    return DialEnded(attempt=self._attempt, answered=False, passed_on=True)
                if not self._talking and self._party is None and not self._supervision.is_stepped_in:
                    return DialEnded(attempt=self._attempt, answered=True)
                await self._call.next(self._next_time())
        finally:
            self._call.obeys, self._call.standing = None, None

    def _next_time(self) -> float | None:
        party = self._party
        if party is None or party.connected:
            return None
        return self._ringing_until if party.confirm_until is None else min(party.confirm_until, self._ringing_until)

    # What happens by itself

    async def _advance(self) -> None:
        agent, before = (self._talking[0] if self._talking else None), len(self._talking)
        self._talking = [leg for leg in self._talking if not leg.ended]
        somebody_left = len(self._talking) < before
        if self._party is not None:
            await self._look_after(self._party)
        if not self._talking and self._party is not None and not self._is_blind and agent is not None:
            await self._hand_over(agent)
        await self._supervision.advance(self._talking)
        self._stands(supervised=self._supervision.how)
        if self._talking and somebody_left and self._call.hung_up_by == "agent":
            self._call.hung_up_by = None  # that was not the end of the call
        await self._by_keys()

    async def _look_after(self, party: Leg) -> None:
        await self._phones.dial(party)
        await self._phones.ask_to_confirm(party)
        if not party.ended and not party.connected and time.monotonic() >= (self._next_time() or 0.0):
            await self._phones.give_up_late([party], self._ringing_until)
        if party.ended:
            await self._party_left()
        elif party.is_answered and not party.connected:
            await self._party_answered(party)

    async def _party_answered(self, party: Leg) -> None:
        party.keys.clear()
        if self._is_blind:
            await self._phones.quiet(self._call.id)
            await self._ari.bridge(self._bridge, (self._call.id, party.channel))
            self._talking, self._party, self._passed_on_by, self._is_blind = [party], None, None, False
            self._stands(consulted=None, with_whom=None)
        else:
            for leg in self._talking:
                await self._phones.quiet(leg.channel)
            await self._ari.bridge(self._bridge, (party.channel,))
            self._stands(consulted=Consulted.TALKING)
        party.connected = True

    async def _party_left(self) -> None:
        """Did not answer, or has hung up: the resident is never left alone with the music."""
        self._party = None
        self._stands(consulted=None, with_whom=None)
        if self._call.hung_up_by == "agent":
            self._call.hung_up_by = None
        if not self._is_blind:
            for leg in self._talking:
                await self._phones.quiet(leg.channel)
            await self.take_back()
            return
        by, self._passed_on_by = self._passed_on_by, None
        if by is None:
            self._nobody_answered = True
            return
        back = Party(id=by.agent, name=by.name, phone=by.number, must_confirm=by.must_confirm)
        log.info("nobody answered the transfer: back to who passed on", call_id=self._call.ledger.call_id)
        await self._ring(back)
        self._is_blind = True

    # What is asked for

    async def _obey(self, order: CallOrder) -> None:
        """Raises OrderRefused, AriError."""
        if order.kind not in self._standing.possible() or self._is_blind:
            raise OrderRefused("not_possible")
        if order.kind in SUPERVISION:
            await self._supervision.obey(order)
            return
        agent = self._talking[0] if self._talking else None
        match order.kind:
            case OrderKind.HOLD:
                await self._hold(order.actor)
            case OrderKind.RESUME:
                await self.take_back()
            case OrderKind.PAUSE_RECORDING | OrderKind.RESUME_RECORDING:
                await self.pause_recording(order.kind is OrderKind.PAUSE_RECORDING, by=order.actor)
            case OrderKind.CONSULT if order.party is not None and agent is not None:
                await self._consult(order.party, agent, order.actor)
            case OrderKind.TRANSFER if order.party is not None and agent is not None:
                await self._pass_on(order.party, agent)
            case OrderKind.HAND_OVER if agent is not None:
                await self._hand_over(agent)
            case OrderKind.CALL_OFF if self._party is not None:
                party, self._party = self._party, None
                await self._phones.give_up(party, EndReason.CANCELLED)
                self._party = party
                await self._party_left()
            case OrderKind.JOIN if self._party is not None:
                await self._join(order.actor)
            case _:
                raise OrderRefused("not_possible")

    async def _hold(self, by: str) -> None:
        if self._standing.is_held:
            return
        await self._ari.take_out(self._bridge, self._call.id)
        await self._ari.start_music(self._call.id)
        self._stands(is_held=True)
        self._write(EventKind.CALL_HELD, by=by)

    async def take_back(self) -> None:
        """The resident speaks with whoever is in the bridge."""
        await self._ari.stop_music(self._call.id)
        await self._ari.bridge(self._bridge, (self._call.id,))
        if self._standing.is_held:
            self._stands(is_held=False)
            self._write(EventKind.CALL_RESUMED)

    async def _consult(self, party: Party, agent: Leg, by: str) -> None:
        await self._ring(party)
        await self._hold(by)
        await self._phones.ring_tone(agent.channel)

    async def _pass_on(self, party: Party, agent: Leg) -> None:
        await self._ring(party)
        await self._hand_over(agent)

    async def _ring(self, party: Party) -> None:
        """Raises OrderRefused where the phone cannot be rung: then nothing has changed for anybody."""
        seconds = self._call.parts.call_flow.ring_seconds
        self._call.ordered += 1
        channel = leg_channel(self._call.id, ORDERED + self._call.ordered, party.id)
        target = DialTarget(agent=party.id, phone=party.phone, must_confirm=party.must_confirm)
        leg = await self._phones.made(channel, target, ring_seconds=seconds)
        if leg.ended and not self._is_blind:
            raise OrderRefused("unreachable", f"{party.id} is talking or not registered")
        leg.name = leg.name or party.name
        self._party, self._ringing_until = leg, time.monotonic() + seconds + GRACE_SECONDS
        self._stands(with_whom=party.name or party.id, consulted=Consulted.RINGING)

    async def _hand_over(self, agent: Leg) -> None:
        """To who was called: they talk already, or their phone still rings, which the resident then hears."""
        party = self._party
        if party is None:
            raise OrderRefused("not_possible")
        if self._call.is_paused:
            await self._try_to_pause(False, by=agent.agent)
        is_announced = party.connected
        if is_announced:
            await self.take_back()
            self._party, leaving = None, [leg for leg in self._talking if leg is not party]
            self._talking = [party]
            self._stands(consulted=None, with_whom=None, is_held=False)
        else:
            await self._ari.take_out(self._bridge, self._call.id)
            await self._ari.stop_music(self._call.id)
            await self._phones.ring_tone(self._call.id)
            if self._standing.is_held:
                self._write(EventKind.CALL_RESUMED)
                self._stands(is_held=False)
            leaving, self._talking = self._talking, []
            self._is_blind, self._passed_on_by = True, agent
        self._write(EventKind.CALL_TRANSFERRED, to=party.agent, by=agent.agent, announced=is_announced)
        for leg in leaving:
            await self._phones.give_up(leg, EndReason.COMPLETED)
        if self._call.hung_up_by == "agent":
            self._call.hung_up_by = None

    async def _join(self, by: str) -> None:
        party = self._party
        if party is None or not party.connected:
            raise OrderRefused("not_possible")
        await self.take_back()
        self._talking.append(party)
        self._party = None
        self._stands(consulted=None, is_joined=True)
        self._write(EventKind.CALL_JOINED, to=party.agent, by=by)

    async def pause_recording(self, paused: bool, *, by: str) -> None:
        """What is said meanwhile is in no file and is not transcribed live; the recording's time goes on."""
        was, self._call.is_paused = self._call.is_paused, paused or self._call.is_paused  # live words stop first
        try:
            await self._ari.mute_recording(self._call.channel.name, muted=paused)
            await self._ari.set_variable(self._call.id, "CALLCENTER_PAUSED", str(int(paused)))
        except AriError:
            self._call.is_paused = was
            raise
        self._call.is_paused = paused
        self._stands(recording_paused=paused)
        self._write(EventKind.RECORDING_PAUSED if paused else EventKind.RECORDING_RESUMED, by=by)

    async def _try_to_pause(self, paused: bool, *, by: str) -> None:
        """Where it fails the conversation goes on all the same."""
        try:
            await self.pause_recording(paused, by=by)
        except AriError as error:
            log.error(
                "the recording was not paused", call_id=self._call.ledger.call_id, wanted=paused, error=str(error)
            )

    async def _by_keys(self) -> None:
        """The recording's key on an agent's phone."""
        wanted = self._call.parts.call_flow.recording_key
        for leg in self._talking:
            last = leg.keys[-len(wanted) :]
            if not wanted or "".join(digit for digit, _ in last) != wanted:
                continue
            leg.keys.clear()
            if (last[-1][1] - last[0][1]).total_seconds() <= KEYS_TOGETHER_SECONDS:
                await self._try_to_pause(not self._call.is_paused, by=leg.agent)

    def _write(self, kind: EventKind, **data: Any) -> None:
        now = self._call.parts.clock.now()
        self._call.ledger.write(kind, Moment.exactly(now), key=f"{now:%H%M%S.%f}", data=data)
