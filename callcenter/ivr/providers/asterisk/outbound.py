"""Calls of ours over our Asterisks: placed once each."""

import hashlib
from collections.abc import Mapping

from callcenter.ivr.providers.asterisk.ari_errors import AriRefused, AriUnreachable
from callcenter.ivr.providers.asterisk.names import PURPOSE, call_id, outbound_channel
from callcenter.ivr.providers.asterisk.placed_call import PlacedCall
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ports import DialRefused, DialUncertain, OutboundCall


class AsteriskDialler:
    """Dialler over our Asterisks: the first that we are connected to."""

    def __init__(self, switches: Mapping[str, AsteriskSwitch]) -> None:
        self._switches = switches

    async def place_call(self, call: OutboundCall) -> str:
        """A channel's id is made of the idempotency key, so Asterisk itself makes none twice.

        Raises DialRefused, DialUncertain.
        """
        switch = next((one for one in self._switches.values() if one.connected.is_set()), None)
        if switch is None:
            raise DialRefused("there is no connection to any Asterisk")
        channel = outbound_channel(hashlib.sha256(call.idempotency_key.encode()).hexdigest()[:24])
        settings = switch.ari.settings
        shown = call.from_number or settings.from_number
        variables = {PURPOSE: call.purpose, "CALLCENTER_APP": settings.app} | (
            {"CONNECTEDLINE(num,i)": shown} if shown else {}
        )
        if switch.is_open(channel):
            return call_id(switch.name, channel)
        with switch.expecting(channel):
            try:
                made = await switch.ari.make(
                    channel, settings.trunk_endpoint.format(number=call.to_number), args="outbound", variables=variables
                )
            except AriRefused as refused:
                if refused.status == 409:
                    return call_id(switch.name, channel)
                raise DialRefused(str(refused)) from refused
            except AriUnreachable as error:
                raise DialUncertain(str(error)) from error
            switch.begin(made, lambda parts, ledger: PlacedCall(made, parts, ledger, call))
        return call_id(switch.name, channel)
