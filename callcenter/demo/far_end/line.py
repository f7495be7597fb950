"""A line that carries out TwiML: speaks, asks for keys, goes on to other documents, hangs up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin

from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.people import Hand
from callcenter.demo.far_end.resources import ProviderCall
from callcenter.demo.far_end.twiml import (
    Dial,
    Gather,
    Hangup,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    StartStream,
    Verb,
)
from callcenter.demo.far_end.virtual_time import VirtualTime
from callcenter.demo.far_end.webhooks import ServerFailed

SECONDS_A_CHARACTER = 0.2
MAX_DOCUMENTS = 50


class HungUp(Exception):
    """The person at this line hung up."""


class LineClosed(Exception):
    """The server ended the call (Hangup), or rejected it."""

    def __init__(self, status: str = "completed") -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Next:
    """The document to go on with: where, and what to say about what just happened."""

    url: str
    form: Mapping[str, str] = field(default_factory=dict)


class Line:
    """One leg under the control of documents. Dial and Record are for those who have more than ears and keys."""

    def __init__(self, exchange: Exchange, call: ProviderCall, time: VirtualTime, hand: Hand) -> None:
        self.exchange = exchange
        self.call = call
        self.time = time
        self._hand = hand
        self._questions = 0

    async def follow(self, url: str, form: Mapping[str, str] | None = None) -> None:
        """Carries out the document at `url` and those it leads to. Raises HungUp, LineClosed, ServerFailed."""
        step: Next | None = Next(url=url, form=form or {})
        for _ in range(MAX_DOCUMENTS):
            if step is None:
                return
            verbs = await self.fetch(step)
            step = await self.carry_out(verbs, step.url)
        raise ServerFailed(f"{url}: more than {MAX_DOCUMENTS} documents for one call")

    async def fetch(self, step: Next) -> tuple[Verb, ...]:
        return await self.exchange.document(step.url, {**self.call.form(), **step.form})

    async def carry_out(self, verbs: tuple[Verb, ...], url: str) -> Next | None:
        """What to go on with, or None at the end of the document. `url`: where the document came from."""
        for verb in verbs:
            step = await self.perform(verb, url)
            if step is not None:
                return Next(url=urljoin(url, step.url), form=step.form)
        return None

    async def perform(self, verb: Verb, url: str) -> Next | None:
        match verb:
            case Say() | Play() | Pause():
                await self._listen(verb)
            case Gather():
                return await self._gather(verb, url)
            case Redirect():
                return Next(url=verb.url or url)
            case Hangup():
                raise LineClosed
            case Reject():
                raise LineClosed("busy" if verb.reason == "busy" else "no-answer")
            case Dial() | Record() | StartStream():
                raise ServerFailed(f"{url}: <{type(verb).__name__}> has no place on this leg")
        return None

    async def _listen(self, prompt: Say | Play | Pause) -> None:
        self.call.answer(self.time.now)
        if isinstance(prompt, Say):
            self.call.heard.append(prompt.text)
            await self.time.sleep(len(prompt.text) * SECONDS_A_CHARACTER)
        elif isinstance(prompt, Pause):
            await self.time.sleep(prompt.seconds)
        else:
            await self.time.sleep(3)

    async def _gather(self, verb: Gather, url: str) -> Next | None:
        """A key ends the prompt; without one the prompt is heard out and the timeout runs."""
        self.call.answer(self.time.now)
        keys = self._hand.answer(self._questions, verb.num_digits)
        self._questions += 1
        if keys and (not verb.prompts or self._hand.seconds <= verb.timeout_seconds + _prompt_seconds(verb)):
            self.call.heard.extend(prompt.text for prompt in verb.prompts if isinstance(prompt, Say))
            await self.time.sleep(self._hand.seconds)
            return Next(url=verb.action or url, form={"Digits": keys, "FinishedOnKey": ""})
        for prompt in verb.prompts:
            await self._listen(prompt)
        await self.time.sleep(verb.timeout_seconds)
        return Next(url=verb.action or url, form={"Digits": ""}) if verb.action_on_empty else None


def _prompt_seconds(verb: Gather) -> float:
    return sum(len(prompt.text) * SECONDS_A_CHARACTER for prompt in verb.prompts if isinstance(prompt, Say))
