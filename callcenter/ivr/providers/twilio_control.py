"""CallControl at Twilio-compatible providers: a call that goes on is given another TwiML.

Two people in a `<Dial>` cannot be parted without ending it, so of all orders only the transfer is offered: the resident
goes on to the other phone, and the agent's leg ends. Hold is the agent's own phone's (its hold key).
"""

from callcenter.domain.call_orders import CallOrder, OrderKind, TalkStanding
from callcenter.ivr.provider import DialTarget, RingAgents
from callcenter.ivr.providers.twilio_rest import TwilioRest
from callcenter.ports import OrderRefused, ProviderUnreachable

RING_SECONDS = 20
TALKING = TalkStanding()


class TwilioControl:
    """Keeps nothing: what becomes of a transfer comes back by the `dial` hook and the leg's own events."""

    offers = frozenset({OrderKind.TRANSFER})

    def __init__(self, rest: TwilioRest, *, ring_seconds: int = RING_SECONDS) -> None:
        self._rest = rest
        self._ring_seconds = ring_seconds

    def standing(self, call_id: str) -> TalkStanding | None:
        """Whether they talk is known from the call's events; who asks here has looked."""
        return TALKING

    async def carry_out(self, call_id: str, order: CallOrder) -> None:
        """Raises OrderRefused."""
        party = order.party
        if order.kind not in self.offers or party is None:
            raise OrderRefused("not_offered")
        target = DialTarget(agent=party.id, phone=party.phone, must_confirm=party.must_confirm)
        step = RingAgents(targets=(target,), ring_seconds=self._ring_seconds, attempt=0, passed_on=True)
        try:
            await self._rest.redirect(call_id, (step,))
        except ProviderUnreachable as error:
            raise OrderRefused("failed", str(error)) from error
