"""A resident's call on an Asterisk, played through step by step as the call flow says."""

import time
from datetime import datetime

import structlog

from callcenter.domain.calls import HOLD, Direction, EndReason, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import (
    DialEnded,
    Incoming,
    MenuEnded,
    Question,
    RingAgents,
    Step,
    TakeVoiceMail,
    VoiceMailEnded,
)
from callcenter.ivr.providers.asterisk.ari import AriClient, AriError, AriUnreachable
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.live_call import (
    EXCHANGE,
    PLAYBACK_GRACE_SECONDS,
    CallParts,
    Gap,
    ResidentLeft,
)
from callcenter.ivr.providers.asterisk.messages import Channel
from callcenter.ivr.providers.asterisk.names import bridge_of, phone_number, side_of, voice_mail_of
from callcenter.ivr.providers.asterisk.recordings import recording_address
from callcenter.ivr.providers.asterisk.ringing import Ringing
from callcenter.ivr.providers.asterisk.script import ScriptedCall

log = structlog.get_logger()

SILENCE_SECONDS = 10
"""A resident may think for so long before the message is taken as ended."""
ENDING_SECONDS = 10.0
LATER_SECONDS = 2.0
LONGEST_VOICE_MAIL_SECONDS = 600.0


class InboundCall(ScriptedCall):
    """A resident who phones."""

    def __init__(self, channel: Channel, parts: CallParts, ledger: CallLedger) -> None:
        super().__init__(channel, parts, ledger)
        self._ringing = Ringing(self)

    async def run(self, found: Gap | None = None) -> None:
        """From its arrival to its end. `found`: it was going on already when we came."""
        self.ledger.write(
            EventKind.CALL_STARTED,
            self.channel.created,
            data={
                "direction": Direction.INBOUND.value,
                "tells": [HOLD],
                "from": self.from_number,
                "to": phone_number(self.channel.extension),
            },
        )
        try:
            await self._play_through(found)
        except ResidentLeft:
            log.debug("the resident has left", call_id=self.ledger.call_id)
        await self._finish()

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

    async def do(self, step: Step) -> Question | None:
        match step:
            case RingAgents():
                return await self._ringing.round(step)
            case TakeVoiceMail(prompt=prompt, longest_seconds=seconds):
                await self._take_voice_mail(prompt, seconds)
                return VoiceMailEnded()
        return await super().do(step)

    async def _take_voice_mail(self, prompt: str, seconds: int) -> None:
        await self.say(prompt)
        name = voice_mail_of(self.id)
        await self.parts.ari.record(self.id, name, longest_seconds=seconds, silence_seconds=SILENCE_SECONDS)
        await self.until_over(name, time.monotonic() + seconds + PLAYBACK_GRACE_SECONDS)

    async def _resumed(self, found: Gap) -> Question | None:
        """Goes on where the call stands, and says what is to be decided next."""
        ringing = self._ringing.found(found)
        if ringing is not None:
            return await self._ringing.go_on(ringing, found.bridges.get(bridge_of(self.id), ()))
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
                await self._hang_up_legs()
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
        while not await self._recordings_written(self.ended_at):
            await self.next_of_all(time.monotonic() + LATER_SECONDS)

    async def _hang_up_legs(self) -> None:
        for leg in self.legs.values():
            if not leg.ended and leg.given_up is None:
                leg.given_up = EndReason.CANCELLED
                await self.parts.ari.hang_up(leg.channel)
        await self.parts.ari.end_bridge(bridge_of(self.id))

    async def _recordings_written(self, at: datetime | Moment) -> bool:
        """The files are final when the channel is gone. False: Asterisk cannot be asked now."""
        try:
            found = await write_recordings(self.parts.ari, self.id, self.ledger, at)
        except AriError as error:
            log.warning("recordings are looked for later", call_id=self.ledger.call_id, error=str(error))
            return False
        if "conversation" not in found and any(leg.connected for leg in self.legs.values()):
            log.error("the conversation was not recorded: is MixMonitor in the dialplan?", call_id=self.ledger.call_id)
        return True


async def write_recordings(ari: AriClient, channel: str, ledger: CallLedger, at: datetime | Moment) -> set[str]:
    """What Asterisk has recorded of a call that is over: conversation, voice_mail. Raises AriError."""
    names = {"conversation": side_of(channel, "resident"), "voice_mail": voice_mail_of(channel)}
    found = {content for content, name in names.items() if await ari.has_sound(name)}
    for content in found:
        write_recording(ledger, at, content)
    return found


def write_recording(ledger: CallLedger, at: datetime | Moment, content: str) -> None:
    """`content` is conversation (a file a side) or voice_mail."""
    ledger.write(
        EventKind.RECORDING_READY,
        at,
        key=content,
        data={
            "recording_id": f"{ledger.call_id}:{content}",
            "url": recording_address(ledger.call_id, content),
            "channels": 2 if content == "conversation" else 1,
            "content": content,
        },
    )
