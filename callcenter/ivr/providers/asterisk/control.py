"""CallControl over our Asterisks."""

from collections.abc import Mapping

from callcenter.domain.call_orders import CallOrder, OrderKind, TalkStanding
from callcenter.ivr.providers.asterisk.names import server_and_channel
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ports import OrderRefused


class AsteriskControl:
    """An order goes into its call's own queue, and is carried out between the call's events."""

    offers = frozenset(OrderKind)

    def __init__(self, switches: Mapping[str, AsteriskSwitch]) -> None:
        self._switches = switches

    def standing(self, call_id: str) -> TalkStanding | None:
        server, channel = server_and_channel(call_id)
        switch = self._switches.get(server)
        return switch.standing(channel) if switch is not None else None

    async def carry_out(self, call_id: str, order: CallOrder) -> None:
        """Raises OrderRefused."""
        server, channel = server_and_channel(call_id)
        switch = self._switches.get(server)
        if switch is None or not switch.connected.is_set():
            raise OrderRefused("no_such_call", f"no connection to the Asterisk {server!r}")
        await switch.carry_out(channel, order)
