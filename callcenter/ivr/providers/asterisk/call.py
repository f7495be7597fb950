"""A resident's call on an Asterisk, played through step by step as the call flow says."""

import time

import structlog

from callcenter.domain.calls import HOLD, TRANSFER, Direction, EndReason, EventKind
from callcenter.ivr.provider import (
    DialEnded,
    Incoming,
    MenuEnded,
    Question,
    VoiceMailEnded,
)
from callcenter.ivr.providers.asterisk.agent_call import AgentCall
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriUnreachable
from callcenter.ivr.providers.asterisk.live_call import (
    EXCHANGE,
    Gap,
    ResidentLeft,
)
from callcenter.ivr.providers.asterisk.names import (
    bridge_of,
    call_of,
    is_supervision,
    phone_number,
    side_of,
    voice_mail_of,
)

log = structlog.get_logger()

ENDING_SECONDS = 10.0
LATER_SECONDS = 2.0
LONGEST_VOICE_MAIL_SECONDS = 600.0


class InboundCall(AgentCall):
    """A resident who phones."""

    async def run(self, found: Gap | None = None) -> None:
        """From its arrival to its end. `found`: it was going on already when we came."""
        self.ledger.write(
            EventKind.CALL_STARTED,
            self.channel.created,
            data={
                "direction": Direction.INBOUND.value,
                "tells": [HOLD, TRANSFER],
                "from": self.from_number,
                "to": phone_number(self.channel.extension),
            },
        )
        try:
            await self._play_through(found)
        except ResidentLeft:
            log.debug("the resident has left", call_id=self.ledger.call_id)
        self.parts.call_flow.gone(self.ledger.call_id)
        await self._finish()
        await self.end_live()

    async def _play_through(self, found: Gap | None) -> None:
        """Raises ResidentLeft."""
        tries = 0
        while True:
            try:
                await self._begin(found)
                return
            except AriUnreachable as error:
                log.warning("call waits for its Asterisk", call_id=self.ledger.call_id, error=str(error))
                found = await self._next_gap()
            except (AriError, LookupError, TypeError, ValueError):
                await self.leave_if_gone()
                log.exception("call failed", call_id=self.ledger.call_id, goes_on_with_the_fallback=tries == 0)
                tries += 1
                if tries > 1:
                    await self.converse(None)
                await self.carry_out(self.parts.call_flow.fallback())
                await self.converse(None)

    async def _begin(self, found: Gap | None) -> None:
        await self.parts.ari.subscribe(self.id)
        if found is None:
            await self.parts.ari.answer(self.id)
            await self.converse(Incoming(from_number=self.from_number))
        else:
            await self.converse(await self._resumed(found))

    async def _next_gap(self) -> Gap:
        while True:
            happened = await self.next()
            if isinstance(happened, Gap):
                return happened

    async def _resumed(self, found: Gap) -> Question | None:
        """Goes on where the call stands, and says what is to be decided next."""
        self.is_paused = await self.parts.ari.variable(self.id, "CALLCENTER_PAUSED") == "1"
        for channel in found.channels:
            if call_of(channel) == self.id and is_supervision(channel):
                await self.parts.ari.hang_up(channel)
        ringing = self.ringing.found(found)
        if ringing is not None:
            return await self.ringing.go_on(ringing, found.bridges.get(bridge_of(self.id), ()))
        name = voice_mail_of(self.id)
        if await self.parts.ari.is_recording(name):
            await self.until_over(name, time.monotonic() + LONGEST_VOICE_MAIL_SECONDS)
            return VoiceMailEnded()
        if await self.parts.ari.has_sound(name):
            return VoiceMailEnded()
        if await self.parts.ari.has_sound(side_of(self.id, "resident")):
            return DialEnded(attempt=0, answered=True)
        return MenuEnded(digits="", from_number=self.from_number)

    # The end

    async def _finish(self) -> None:
        """Phones that still ring are hung up; the end and the recordings are written down."""
        until = time.monotonic() + ENDING_SECONDS
        while self.ended_at is None or any(not leg.ended for leg in self.legs.values()):
            try:
                await self.hang_up_legs()
                if await self.next_of_all(until) is None:
                    await self.look_once_more()
                    until = time.monotonic() + ENDING_SECONDS
            except AriUnreachable as error:
                log.warning("the end of a call waits for its Asterisk", call_id=self.ledger.call_id, error=str(error))
                await self.next_of_all(time.monotonic() + ENDING_SECONDS)
        self.ledger.write(
            EventKind.CALL_ENDED,
            self.ended_at,
            data={
                "reason": (EndReason.FAILED if self.hung_up_by == EXCHANGE else EndReason.COMPLETED).value,
                "hung_up_by": self.hung_up_by,
            },
        )
        while not await self.recordings_written(self.ended_at):
            await self.next_of_all(time.monotonic() + LATER_SECONDS)
