"""A call on which agents are rung, residents wait in line or leave a message, and both sides are recorded."""

import asyncio
import time
from datetime import datetime

import structlog

from callcenter.domain.calls import EndReason, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.provider import (
    KEEP_PLACE_KEY,
    QUEUE,
    HearLive,
    Question,
    RingAgents,
    Step,
    TakeVoiceMail,
    VoiceMailEnded,
    Wait,
    WaitEnded,
)
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.live_call import PLAYBACK_GRACE_SECONDS, CallParts
from callcenter.ivr.providers.asterisk.live_sound import LiveSound
from callcenter.ivr.providers.asterisk.messages import Channel
from callcenter.ivr.providers.asterisk.names import bridge_of, side_of, voice_mail_of
from callcenter.ivr.providers.asterisk.recordings import recording_address
from callcenter.ivr.providers.asterisk.ringing import Ringing
from callcenter.ivr.providers.asterisk.script import ScriptedCall

log = structlog.get_logger()

SILENCE_SECONDS = 10
"""A resident may think for so long before the message is taken as ended."""
LIVE_ENDS_SECONDS = 10.0
TURN_SECONDS = 0.5
"""So often it is looked whether an agent is free for who waits."""


class AgentCall(ScriptedCall):
    """The steps that need agents or a recording."""

    def __init__(self, channel: Channel, parts: CallParts, ledger: CallLedger) -> None:
        super().__init__(channel, parts, ledger)
        self.ringing = Ringing(self)
        self.sound: LiveSound | None = None
        self._hearing: asyncio.Task[None] | None = None

    def hear_live(self) -> None:
        """Once a call; the call itself never waits for it."""
        listener = self.parts.listener
        if listener is None or self.sound is not None:
            return
        sound = LiveSound(self.parts.ari, listener, channel=self.id, call_id=self.ledger.call_id)
        sound.is_muted, self.sound = self.is_paused, sound
        self._hearing = asyncio.create_task(sound.run(), name=f"live sound of {self.ledger.call_id}")

    async def end_live(self) -> None:
        """Its words become a ticket in a task of their own."""
        if self._hearing is not None and self.sound is not None:
            try:
                await self.sound.finish()
            except AriError as error:
                log.debug("live sound ends by itself", call_id=self.ledger.call_id, error=str(error))
            await asyncio.wait({self._hearing}, timeout=LIVE_ENDS_SECONDS)
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)

    def mute_live(self, muted: bool) -> None:
        if self.sound is not None:
            self.sound.is_muted = muted

    async def do(self, step: Step) -> Question | None:
        match step:
            case RingAgents():
                return await self.ringing.round(step)
            case HearLive():
                self.hear_live()
                return None
            case Wait():
                return await self._wait_in_line(step)
            case TakeVoiceMail(prompt=prompt, longest_seconds=seconds):
                await self._take_voice_mail(prompt, seconds)
                return VoiceMailEnded()
        return await super().do(step)

    async def _wait_in_line(self, step: Wait) -> WaitEnded:
        """Hears the place, then music; a key or one's turn ends it."""
        flow, call = self.parts.call_flow, self.parts.callers.of(self.ledger.call_id, self.from_number)
        self.keys.clear()
        await self.say(step.prompt, until_key=True)
        await self.parts.ari.start_music(self.id)
        until = time.monotonic() + step.seconds
        while not self.keys and time.monotonic() < until and not flow.turn_has_come(call):
            await self.next(min(until, time.monotonic() + TURN_SECONDS))
        await self.parts.ari.stop_music(self.id)
        digits = "".join(self.keys[:1])
        self.keys.clear()
        if digits == KEEP_PLACE_KEY:
            self.pressed(QUEUE, digits)
        return WaitEnded(digits=digits, waits=step.waits)

    async def _take_voice_mail(self, prompt: str, seconds: int) -> None:
        await self.say(prompt)
        name = voice_mail_of(self.id)
        await self.parts.ari.record(self.id, name, longest_seconds=seconds, silence_seconds=SILENCE_SECONDS)
        await self.until_over(name, time.monotonic() + seconds + PLAYBACK_GRACE_SECONDS)

    async def hang_up_legs(self) -> None:
        for leg in self.legs.values():
            if not leg.ended and leg.given_up is None:
                leg.given_up = EndReason.CANCELLED
                await self.parts.ari.hang_up(leg.channel)
        await self.parts.ari.end_bridge(bridge_of(self.id))

    async def recordings_written(self, at: datetime | Moment) -> bool:
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
