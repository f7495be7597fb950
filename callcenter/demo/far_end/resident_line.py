"""The line of a resident who phones in: what Line does, and Dial and Record with the sound of the script."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urljoin

import aiohttp

from callcenter.demo.call_script import CallScript
from callcenter.demo.far_end.agent_leg import AgentLeg, LegCancelled, LegContext, LegReleased
from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.line import HungUp, Line, Next
from callcenter.demo.far_end.media_stream import FRAME_MS
from callcenter.demo.far_end.patience import Patience
from callcenter.demo.far_end.people import Hand, Phones
from callcenter.demo.far_end.resources import ProviderCall, Recording, stamp
from callcenter.demo.far_end.twiml import Dial, Noun, Record, StartStream, Verb
from callcenter.demo.far_end.virtual_time import VirtualTime
from callcenter.demo.far_end.webhooks import ServerFailed
from callcenter.demo.sound import Sound, mono_wav, stereo_wav

BEEP_SECONDS = 0.5
HANG_UP_SECONDS = 0.4
STREAMED_AT_PACE = 12.0
"""So many times faster than it is spoken: what recognises it on the way must keep up."""
ERROR_RETRIEVING_DOCUMENT = "11200"


class ResidentLine(Line):
    """Made by the running part that is the caller. `recording_notices`: (URL, form), to be sent after the call."""

    def __init__(
        self, exchange: Exchange, call: ProviderCall, time: VirtualTime, *, script: CallScript, phones: Phones
    ) -> None:
        super().__init__(exchange, call, time, Hand(keys=script.table.caller.presses))
        self.recording_notices: list[tuple[str, dict[str, str]]] = []
        self.randomness = exchange.randomness(script.name)
        self._script = script
        self._phones = phones
        self._patience = Patience(time, time.running, script.table.caller.gives_up_after_seconds)
        self._fell_back = False
        self._stream: StartStream | None = None

    async def fetch(self, step: Next) -> tuple[Verb, ...]:
        """The server's document; once a call, the fallback's where the server fails. Raises ServerFailed."""
        try:
            return await super().fetch(step)
        except ServerFailed as error:
            if self._fell_back:
                raise
            self._problem(str(error))
            self._fell_back = True
            form = {"ErrorCode": ERROR_RETRIEVING_DOCUMENT, "ErrorUrl": step.url}
            return await super().fetch(Next(url=self.exchange.account.fallback_url, form=form))

    async def perform(self, verb: Verb, url: str) -> Next | None:
        if isinstance(verb, Dial):
            return await self._dial(verb, url)
        if isinstance(verb, Record):
            return await self._record(verb, url)
        if isinstance(verb, StartStream):
            self._stream = verb
            return None
        return await super().perform(verb, url)

    async def _dial(self, verb: Dial, url: str) -> Next | None:
        if not verb.answers_on_bridge:
            self.call.answer(self.time.now)
        context = self._ring_all(verb, url)
        try:
            await self.time.park()
        except HungUp:
            await self._release(context)
            return await self._go_on(verb.action, url, _unanswered(context, "canceled"), hung_up=True)
        winner = context.bridged
        if winner is None:
            form = _unanswered(context, context.legs[-1].call.status)
            return await self._go_on(verb.action, url, form, hung_up=False)
        self.call.answer(self.time.now)
        for leg in context.legs:
            if leg is not winner and leg.part is not None:
                self.time.wake(leg.part, LegCancelled())
        form = await self._talk(winner, verb, url)
        return await self._go_on(verb.action, url, form, hung_up=True)

    async def _go_on(self, action: str | None, url: str, form: Mapping[str, str], *, hung_up: bool) -> Next | None:
        """The action is asked for also when the caller has hung up; what it answers is then carried out by nobody."""
        if not hung_up:
            return Next(url=action, form=form) if action else None
        self.call.end(self.time.now, "completed" if self.call.answered_at else "no-answer")
        if action is not None:
            try:
                await self.exchange.document(urljoin(url, action), {**self.call.form(), **form})
            except ServerFailed as error:
                self._problem(str(error))
        raise HungUp

    def _ring_all(self, verb: Dial, url: str) -> LegContext:
        context = LegContext(
            exchange=self.exchange,
            time=self.time,
            dial=verb,
            dialler=self.time.running,
            patience=self._patience,
            randomness=self.randomness,
            url=url,
        )
        for noun in verb.nouns:
            leg = self._leg(context, noun)
            context.legs.append(leg)
            leg.part = self.time.spawn(noun.address, _ring(leg))
        return context

    def _leg(self, context: LegContext, noun: Noun) -> AgentLeg:
        call = self.exchange.new_call(
            direction="outbound-dial",
            from_number=context.dial.caller_id or self.call.from_number,
            to=noun.address,
            at=self.time.now,
            parent=self.call,
        )
        agent_id = self._phones.agent_of(noun.address)
        if agent_id is None:
            self._problem(f"{context.url} rings {noun.address}, which is nobody's phone")
        return AgentLeg(context, call, noun, self._script.agent_table(agent_id or "nobody"))

    async def _release(self, context: LegContext) -> None:
        for leg in context.legs:
            if leg.part is not None and not leg.part.over:
                self.time.wake(leg.part, LegCancelled())
                await self.time.join(leg.part)

    async def _talk(self, winner: AgentLeg, verb: Dial, url: str) -> dict[str, str]:
        """The conversation, until the resident hangs up."""
        resident, agent, started = self._script.resident, self._script.agent, self.time.now
        seconds = min(resident.seconds if resident else 0.0, verb.time_limit_seconds)
        await self._speak(resident, agent, seconds)
        assert winner.part is not None
        self.time.wake(winner.part, LegReleased())
        await self.time.join(winner.part)
        form = {
            "DialCallStatus": "completed",
            "DialBridged": "true",
            "DialCallSid": winner.call.sid,
            "DialCallDuration": str(winner.call.seconds),
        }
        if not (verb.records and resident and agent):
            return form
        recording = self.exchange.keep_recording(
            self.call,
            wav=stereo_wav(resident.first(seconds), agent.first(seconds)),
            channels=verb.recording_channels,
            seconds=seconds,
            at=started,
            source="DialVerb",
        )
        return form | self._announce(recording, verb.recording_callback, url)

    async def _speak(self, resident: Sound | None, agent: Sound | None, seconds: float) -> None:
        """The time of the conversation; where the server asked for its sound, that is sent as the time goes by."""
        if self._stream is None or resident is None or agent is None:
            await self.time.sleep(seconds)
            return
        until = self.time.now + timedelta(seconds=seconds)
        tracks = {"inbound": resident.first(seconds), "outbound": agent.first(seconds)}
        try:
            async with self.exchange.media_stream(self.call, self._stream) as stream:
                await stream.play(tracks, pace=STREAMED_AT_PACE, meanwhile=lambda: self.time.sleep(FRAME_MS / 1000))
                await stream.stop()
        except (aiohttp.ClientError, ConnectionError) as error:
            self._problem(f"the stream of its sound broke off: {error!r}")
        await self.time.until(until)

    async def _record(self, verb: Record, url: str) -> Next | None:
        self.call.answer(self.time.now)
        await self.time.sleep(BEEP_SECONDS if verb.plays_beep else 0)
        sound = self._script.resident
        if sound is None or not sound.frames:
            raise HungUp
        return await self._leave_message(verb, url, sound)

    async def _leave_message(self, verb: Record, url: str, sound: Sound) -> Next | None:
        started, spoken = self.time.now, sound.first(verb.max_seconds)
        await self.time.sleep(spoken.seconds)
        recording = self.exchange.keep_recording(
            self.call, wav=mono_wav(spoken), channels=1, seconds=spoken.seconds, at=started, source="RecordVerb"
        )
        form = self._announce(recording, verb.recording_callback, url)
        if spoken.frames < sound.frames:
            return await self._go_on(verb.action or url, url, form, hung_up=False)
        await self.time.sleep(HANG_UP_SECONDS)
        return await self._go_on(verb.action or url, url, {**form, "Digits": "hangup"}, hung_up=True)

    def _announce(self, recording: Recording, callback: str | None, url: str) -> dict[str, str]:
        """What the action is told about the recording; its own notice is put down for later."""
        told = {
            "RecordingUrl": self.exchange.recording_url(recording),
            "RecordingSid": recording.sid,
            "RecordingDuration": str(round(recording.seconds)),
        }
        if callback:
            self.recording_notices.append((urljoin(url, callback), {**_notice(recording), **told}))
        return told

    def _problem(self, text: str) -> None:
        self.exchange.journal.problems.append(f"{self._script.name}: {text}")


async def _ring(leg: AgentLeg) -> None:
    """Rings one phone; the last one that is over without an answer lets the caller go on."""
    await leg.ring()
    context = leg.context
    others_over = all(other.part is not None and other.part.over for other in context.legs if other is not leg)
    if context.bridged is None and others_over:
        context.time.wake(context.dialler)


def _unanswered(context: LegContext, status: str) -> dict[str, str]:
    last = context.legs[-1].call
    return {
        "DialCallStatus": status,
        "DialBridged": "false",
        "DialCallSid": last.sid,
        **({"DialSipResponseCode": str(last.sip_code)} if last.sip_code else {}),
    }


def _notice(recording: Recording) -> dict[str, str]:
    return {
        "AccountSid": recording.account_sid,
        "CallSid": recording.call_sid,
        "RecordingStatus": "completed",
        "RecordingChannels": str(recording.channels),
        "RecordingSource": recording.source,
        "RecordingStartTime": stamp(recording.started_at),
        "RecordingTrack": "both",
        "ErrorCode": "0",
    }
