"""A supervisor on a call: listens unheard, whispers to the agent alone, or steps in."""

import asyncio
from collections.abc import Sequence

import structlog

from callcenter.domain.call_orders import CallOrder, OrderKind
from callcenter.domain.calls import EndReason, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import DialTarget
from callcenter.ivr.providers.asterisk.ari_errors import AriRefused
from callcenter.ivr.providers.asterisk.legs import Leg
from callcenter.ivr.providers.asterisk.live_call import LiveCall
from callcenter.ivr.providers.asterisk.names import bridge_of, snoop_channel, supervised_bridge, supervisor_channel
from callcenter.ivr.providers.asterisk.phones import Phones
from callcenter.ports import OrderRefused

log = structlog.get_logger()

ENTER_TRIES, ENTER_PAUSE_SECONDS = 20, 0.05
"""A snoop is made a moment before it can be put into a bridge."""


class Supervision:
    """At most one supervisor at a time. Their phone rings; what they hear follows the call from agent to agent."""

    def __init__(self, call: LiveCall) -> None:
        self._call = call
        self._ari = call.parts.ari
        self._phones = Phones(call)
        self._phone: Leg | None = None
        self._by = ""
        self._wanted: OrderKind | None = None
        self._snoop: str | None = None
        self._heard: Leg | None = None
        self._count = 0
        self.how: OrderKind | None = None

    @property
    def is_stepped_in(self) -> bool:
        return self.how is OrderKind.STEP_IN

    async def obey(self, order: CallOrder) -> None:
        """Raises OrderRefused, AriError."""
        if order.kind is OrderKind.LEAVE:
            if self._phone is not None:
                await self._phones.give_up(self._phone, EndReason.COMPLETED)
            return
        party = order.party
        if party is None:
            raise OrderRefused("no_phone")
        if self._phone is not None and not self._phone.ended and self._phone.agent != party.id:
            raise OrderRefused("supervised")
        if self._phone is None or self._phone.ended:
            self._count += 1
            channel = supervisor_channel(self._call.id, party.id, self._count)
            target = DialTarget(agent=party.id, phone=party.phone, must_confirm=False)
            seconds = self._call.parts.call_flow.ring_seconds
            phone = await self._phones.made(channel, target, ring_seconds=seconds, watches=True)
            if phone.ended:
                raise OrderRefused("unreachable", f"{party.id} is talking or not registered")
            self._phone = phone
        self._by, self._wanted = order.actor, order.kind

    async def advance(self, talking: Sequence[Leg]) -> None:
        """Raises AriError."""
        phone = self._phone
        if phone is None:
            return
        await self._phones.dial(phone)
        if phone.ended:
            await self._end_snoop()
            self._phone = self.how = self._wanted = None
        elif phone.up and talking and self._is_out_of_place(talking):
            await self._put_in_place(phone, talking[0])

    def _is_out_of_place(self, talking: Sequence[Leg]) -> bool:
        return self.how is not self._wanted or (not self.is_stepped_in and self._heard not in talking)

    async def _put_in_place(self, phone: Leg, agent: Leg) -> None:
        was, self.how, self._heard = self.how, self._wanted, agent
        await self._end_snoop()
        if self.is_stepped_in:
            await self._ari.take_out(supervised_bridge(self._call.id), phone.channel)
            await self._ari.bridge(bridge_of(self._call.id), (phone.channel,))
        else:
            if was is OrderKind.STEP_IN:
                await self._ari.take_out(bridge_of(self._call.id), phone.channel)
            self._count += 1
            self._snoop = snoop_channel(self._call.id, f"supervisor-{self._count}")
            whisper = "out" if self.how is OrderKind.WHISPER else "none"
            await self._ari.snoop(agent.channel, self._snoop, spy="both", whisper=whisper)
            await self._enter(supervised_bridge(self._call.id), (self._snoop, phone.channel))
        if was is not self.how and self.how is not None:
            now = self._call.parts.clock.now()
            data = {"how": self.how.value, "by": self._by}
            self._call.ledger.write(EventKind.SUPERVISED, Moment.exactly(now), key=f"{now:%H%M%S.%f}", data=data)

    async def _enter(self, bridge: str, channels: tuple[str, ...]) -> None:
        for left in reversed(range(ENTER_TRIES)):
            try:
                await self._ari.bridge(bridge, channels)
            except AriRefused:
                if not left:
                    raise
                await asyncio.sleep(ENTER_PAUSE_SECONDS)
            else:
                return

    async def _end_snoop(self) -> None:
        if self._snoop is not None:
            await self._ari.hang_up(self._snoop)
            self._snoop = None
