"""Progress reports of a leg: stamped in true order, delivered now and then twice or in the wrong order on purpose."""

from random import Random

from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.resources import ProviderCall, stamp
from callcenter.demo.far_end.virtual_time import VirtualTime

REPEAT_SHARE = 0.2
SWAP_SHARE = 0.35


class StatusReports:
    """Reports of one leg to one URL, for the events that the server asked for."""

    def __init__(
        self,
        exchange: Exchange,
        call: ProviderCall,
        time: VirtualTime,
        *,
        url: str | None,
        events: frozenset[str],
        randomness: Random,
    ) -> None:
        self._exchange = exchange
        self._call = call
        self._time = time
        self._url = url
        self._events = events
        self._random = randomness
        self._number = 0
        self._held_back: dict[str, str] | None = None

    async def report(self, event: str, status: str) -> None:
        """`event` as it is subscribed to, `status` as it is written. Ringing may be reported after the answer."""
        form = self._form(status)
        if self._url is None or event not in self._events:
            return
        if event == "ringing" and self._random.random() < SWAP_SHARE:
            self._held_back = form
            return
        await self._deliver(form)
        if self._held_back is not None:
            late, self._held_back = self._held_back, None
            self._exchange.journal.reordered += 1
            await self._deliver(late)

    def _form(self, status: str) -> dict[str, str]:
        form = {
            **self._call.form(),
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Timestamp": stamp(self._time.now),
            "SequenceNumber": str(self._number),
        }
        self._number += 1
        if self._call.ended_at is not None:
            form |= {"CallDuration": str(self._call.seconds), "Duration": str(-(-self._call.seconds // 60))}
        if self._call.sip_code is not None:
            form["SipResponseCode"] = str(self._call.sip_code)
        if self._call.answered_by is not None:
            form["AnsweredBy"] = self._call.answered_by
        return form

    async def _deliver(self, form: dict[str, str]) -> None:
        assert self._url is not None
        twice = self._random.random() < REPEAT_SHARE
        self._exchange.journal.repeated += twice
        await self._exchange.tell(self._url, form, times=2 if twice else 1)
