"""Our next steps as TwiML, the call language of Twilio-compatible providers."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from twilio.twiml.voice_response import Dial, Gather, Start, VoiceResponse

from callcenter.ivr.provider import (
    AskAgentToConfirm,
    AskArrival,
    AskResident,
    AskTicketNumber,
    ConnectNow,
    DialTarget,
    HangUp,
    HearLive,
    Menu,
    RingAgents,
    Say,
    Step,
    TakeVoiceMail,
    Wait,
)

NAME = "twilio"
NOTHING = str(VoiceResponse())
RECORDING_EVENTS = "completed absent"
VOICE_MAIL_SILENCE_SECONDS = 10
"""A resident may think for so long before the message is taken as ended."""


class TwimlWriter:
    """Writes TwiML whose callbacks come back to our hooks under `public_url`."""

    def __init__(
        self, *, public_url: str, language: str, voice: str, stream_token: Callable[[str], str] | None = None
    ) -> None:
        """`stream_token` makes the token for a call's live stream, where calls are heard live."""
        self._public_url = public_url
        self._language = language
        self._voice = voice
        self._stream_token = stream_token

    def hook_url(self, hook: str, **query: str) -> str:
        """The public address of one of our hooks. A colon stays as it is: not everybody signs what stands for it."""
        tail = f"?{urlencode(query, safe=':')}" if query else ""
        return f"{self._public_url}/ivr/{NAME}/{hook}{tail}"

    def response(self, steps: Sequence[Step], *, sid: str) -> str:
        """The steps as one TwiML document; no steps: an empty one."""
        if not steps:
            return NOTHING
        response = VoiceResponse()
        for step in steps:
            self._write(response, step, sid)
        return str(response)

    def _write(self, response: VoiceResponse, step: Step, sid: str) -> None:
        match step:
            case Say(text=text):
                self._say(response, text)
            case Menu(prompt=prompt, seconds=seconds):
                gather = Gather(
                    num_digits=1, timeout=seconds, action=self.hook_url("menu"), action_on_empty_result=True
                )
                self._say(gather, prompt)
                response.append(gather)
            case Wait(prompt=prompt, seconds=seconds, waits=waits):
                action = self.hook_url("queue", waits=str(waits))
                gather = Gather(num_digits=1, timeout=seconds, action=action, action_on_empty_result=True)
                self._say(gather, prompt)
                response.append(gather)
            case AskArrival(prompt=prompt, seconds=seconds):
                gather = Gather(num_digits=1, timeout=seconds, action=self.hook_url("arrived"))
                self._say(gather, prompt)
                response.append(gather)
            case AskTicketNumber():
                response.append(self._ask_ticket_number(step))
            case AskResident():
                response.append(self._ask_resident(step))
            case HearLive():
                response.append(self._start_verb(sid))
            case RingAgents():
                response.append(self._dial_verb(step, sid))
            case TakeVoiceMail(prompt=prompt, longest_seconds=seconds):
                self._say(response, prompt)
                response.record(
                    max_length=seconds,
                    play_beep=True,
                    timeout=VOICE_MAIL_SILENCE_SECONDS,
                    action=self.hook_url("voicemail"),
                    recording_status_callback=self.hook_url("recording", content="voice_mail"),
                    recording_status_callback_event=RECORDING_EVENTS,
                )
            case AskAgentToConfirm(agent=agent, prompt=prompt, seconds=seconds):
                action = self.hook_url("confirmed", call=sid, agent=agent)
                gather = Gather(num_digits=1, timeout=seconds, action=action)
                self._say(gather, prompt)
                response.append(gather)
            case HangUp():
                response.hangup()
            case ConnectNow():
                return

    def _start_verb(self, sid: str) -> Start:
        """A stream's address takes no query, so the token is a parameter. The call goes on whatever becomes of it."""
        start = Start()
        stream = start.stream(name="live", url=self.media_url, track="both_tracks")
        if self._stream_token is not None:
            stream.parameter(name="token", value=self._stream_token(sid))
        return start

    @property
    def media_url(self) -> str:
        """https becomes wss."""
        return f"{self._public_url.replace('http', 'ws', 1)}/ivr/{NAME}/media"

    def _say(self, verb: VoiceResponse | Gather, text: str) -> None:
        voice = {"voice": self._voice} if self._voice else {}
        verb.say(text, language=self._language, **voice)

    def _dial_verb(self, step: RingAgents, sid: str) -> Dial:
        dial = Dial(
            timeout=step.ring_seconds,
            action=self.hook_url("dial", attempt=str(step.attempt), **({"passed_on": "1"} if step.passed_on else {})),
            record="record-from-answer-dual",
            recording_status_callback=self.hook_url("recording", content="conversation"),
            recording_status_callback_event=RECORDING_EVENTS,
        )
        for target in step.targets:
            self._add_target(dial, target, sid)
        return dial

    def _add_target(self, dial: Dial, target: DialTarget, sid: str) -> None:
        query = {"call": sid, "agent": target.agent} | ({"confirm": "1"} if target.must_confirm else {})
        options: dict[str, Any] = {
            "status_callback": self.hook_url("leg", **query),
            "status_callback_event": "initiated ringing answered completed",
        }
        if target.must_confirm:
            options["url"] = self.hook_url("confirm", call=sid, agent=target.agent)
        if target.phone.startswith("sip:"):
            dial.sip(target.phone, **options)
        elif target.phone.startswith("client:"):
            dial.client(target.phone.removeprefix("client:"), **options)
        else:
            dial.number(target.phone, **options)

    def _ask_ticket_number(self, step: AskTicketNumber) -> Gather:
        gather = Gather(
            input="dtmf speech",
            language=self._language,
            timeout=step.seconds,
            finish_on_key="#",
            action=self.hook_url("ticket-number", again="1") if step.again else self.hook_url("ticket-number"),
        )
        self._say(gather, step.prompt)
        return gather

    def _ask_resident(self, step: AskResident) -> Gather:
        action = self.hook_url("outbound-key", purpose=step.purpose, kind=step.kind, asked=step.asked)
        gather = Gather(num_digits=step.digits, timeout=step.seconds, action=action)
        self._say(gather, step.prompt)
        return gather

    def reminded(self, speech: str, key_prompt: str, *, purpose: str, kind: str) -> str:
        """TwiML for a reminder's call: a key ends the text at any moment; without one the prompt asks once more."""
        response = VoiceResponse()
        for prompt in (speech, key_prompt):
            step = AskResident(prompt=prompt, seconds=6, digits=1, purpose=purpose, kind=kind, asked="answer")
            response.append(self._ask_resident(step))
        response.hangup()
        return str(response)

    def connected(self, speech: str, ring: RingAgents) -> str:
        """TwiML for a call that an agent ordered: the text, then their phone. The call's id is not known yet."""
        return self.response((Say(text=speech), ring), sid="")

    def spoken(self, speech: str, key_prompt: str | None, purpose: str, *, times: int = 1) -> str:
        """TwiML for a call of ours: the text, then one key where `key_prompt` asks for it.

        Said several times, a key ends text and prompt at any moment.
        """
        response = VoiceResponse()
        if times == 1 or not key_prompt:
            self._say(response, speech)
        for _ in range(times if key_prompt else 0):
            gather = Gather(num_digits=1, timeout=6, action=self.hook_url("outbound-key", purpose=purpose))
            if times > 1:
                self._say(gather, speech)
            self._say(gather, key_prompt or "")
            response.append(gather)
        response.hangup()
        return str(response)
