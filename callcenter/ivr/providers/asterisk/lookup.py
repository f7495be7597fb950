"""What became of a call whose end we did not hear: asked of the Asterisk that it was on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from callcenter.domain.calls import CallEvent, EndReason, EventKind
from callcenter.domain.moments import Clock as WhoseClock
from callcenter.domain.moments import Moment
from callcenter.ivr.providers.asterisk.ari_errors import AriError
from callcenter.ivr.providers.asterisk.live_call import EXCHANGE
from callcenter.ivr.providers.asterisk.messages import stamp
from callcenter.ivr.providers.asterisk.names import NAME, server_and_channel
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ports import ProviderUnreachable


class AsteriskLookup:
    """CallLookup over all our Asterisks."""

    def __init__(self, switches: Mapping[str, AsteriskSwitch]) -> None:
        self._switches = switches

    async def events_of(self, call_id: str) -> Sequence[CallEvent] | None:
        """What the hang-up log knows is stored by its reader; a call that an Asterisk took down with it ends here.

        Raises ProviderUnreachable.
        """
        name, channel = server_and_channel(call_id)
        switch = self._switches.get(name)
        if switch is None or not switch.connected.is_set():
            raise ProviderUnreachable(f"there is no connection to the Asterisk {name!r}")
        try:
            if switch.is_open(channel) or channel in await switch.ari.channels():
                return []
            await switch.take_log()
            started = await switch.ari.started_at()
        except AriError as error:
            raise ProviderUnreachable(str(error)) from error
        began = _began(channel)
        return [_went_down(call_id, began, stamp(started))] if began and began < stamp(started) else None


def _began(channel: str) -> datetime | None:
    """A channel that came in by the trunk is named for the second in which it was made: [system-]1795337364.2."""
    seconds = channel.rpartition("-")[2].partition(".")[0]
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isascii() and seconds.isdigit() else None


def _went_down(call_id: str, began: datetime, started: datetime) -> CallEvent:
    """It ended at some time before this Asterisk was started."""
    return CallEvent(
        event_id=f"{call_id}:{EventKind.CALL_ENDED.value}",
        provider=NAME,
        call_id=call_id,
        kind=EventKind.CALL_ENDED,
        at=Moment(earliest=began, latest=started, clock=WhoseClock.PROVIDER),
        data={"reason": EndReason.FAILED.value, "hung_up_by": EXCHANGE},
    )
