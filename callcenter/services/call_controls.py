"""What people have done to calls that go on, whichever provider's; each is on record before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from callcenter.db.engine import Database
from callcenter.domain.call_orders import CallOrder, OrderKind, TalkStanding
from callcenter.ports import CallControl, Clock, OrderRefused
from callcenter.services.users import record_look


@dataclass
class CallControls:
    """`providers` by the name that their calls' ids begin with."""

    database: Database
    clock: Clock = field(kw_only=True)
    providers: dict[str, CallControl] = field(default_factory=dict, kw_only=True)

    def offers(self, call_id: str) -> frozenset[OrderKind]:
        control = self._of(call_id)
        return control.offers if control is not None else frozenset()

    def standing(self, call_id: str) -> TalkStanding | None:
        control = self._of(call_id)
        return control.standing(call_id) if control is not None else None

    def possible(self, call_id: str) -> frozenset[OrderKind]:
        """What can be asked for now."""
        standing = self.standing(call_id)
        return standing.possible() & self.offers(call_id) if standing is not None else frozenset()

    async def carry_out(self, call_id: str, order: CallOrder) -> None:
        """Raises OrderRefused: then the record says that it was asked for and refused."""
        control = self._of(call_id)
        if control is None or order.kind not in control.offers:
            raise OrderRefused("not_offered")
        data: Mapping[str, str] = {"to": order.party.id} if order.party is not None else {}
        await self._record(call_id, order, f"call_{order.kind.value}", data)
        try:
            await control.carry_out(call_id, order)
        except OrderRefused as refused:
            await self._record(call_id, order, "call_order_refused", {"order": order.kind.value, "why": refused.why})
            raise

    async def _record(self, call_id: str, order: CallOrder, action: str, data: Mapping[str, str]) -> None:
        now = self.clock.now()
        await record_look(
            self.database, login=order.actor, action=action, subject=f"call:{call_id}", now=now, data=data
        )

    def _of(self, call_id: str) -> CallControl | None:
        return self.providers.get(call_id.partition(":")[0])
