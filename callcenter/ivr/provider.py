"""What a telephony provider must do for us: prove who it is, tell what happened, and speak our next steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from callcenter.domain.calls import CallEvent
from callcenter.domain.ticket_number import read_ticket_number


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookRequest:
    """A request as it came in. `url` is the public one, as the provider called and signed it."""

    hook: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    received_at: datetime


class WebhookRefused(Exception):
    """The request is not taken."""

    status = 400


class EndpointClosed(WebhookRefused):
    """No secret is configured for this provider, so its endpoint is closed."""

    status = 403


class BadSignature(WebhookRefused):
    """The signature is missing or wrong."""

    status = 403


class MalformedWebhook(WebhookRefused):
    """The request is signed but says nothing we can read; the message names what is wrong."""

    status = 400


class UnknownHook(WebhookRefused):
    """There is no such hook."""

    status = 404


# What the provider asks us: what shall the caller (or the agent) hear next?


@dataclass(frozen=True, kw_only=True, slots=True)
class Incoming:
    """A resident is on the line, or somebody on call who phones in; None where the number is withheld.

    `known` is what they hear about an incident where they live, if there is one.
    """

    from_number: str | None = None
    known: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MenuEnded:
    """The menu is over; `digits` is empty where no key was pressed. `progress` is what was looked up for key 4.

    `nothing_open`: it was looked up, and no open ticket belongs to the number that called.
    """

    digits: str
    from_number: str | None = None
    progress: str | None = None
    nothing_open: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketNumberGiven:
    """The caller keyed or said a ticket number, or something else; `again`: they were asked a second time.

    `progress` is what was looked up, `not_found` that there is no such ticket. Neither: it could not be looked up.
    """

    digits: str
    speech: str
    again: bool = False
    progress: str | None = None
    not_found: bool = False

    @property
    def number(self) -> str | None:
        return read_ticket_number(digits=self.digits, speech=self.speech)

    @property
    def nothing_said(self) -> bool:
        return not self.digits and not self.speech


@dataclass(frozen=True, kw_only=True, slots=True)
class DialEnded:
    """The agents rung in this attempt answered and have hung up, or nobody answered.

    `passed_on`: nobody answered after an agent had passed the resident on.
    """

    attempt: int
    answered: bool
    passed_on: bool = False


QUEUE = "queue"
"""What a key pressed in the line is stored as; only the one that keeps the place is."""
KEEP_PLACE_KEY = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitEnded:
    """A resident has waited in line for a while, for the `waits`-th time, or pressed a key meanwhile."""

    digits: str
    waits: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VoiceMailEnded:
    """The resident has left a message, or none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentPickedUp:
    """An outside number picked up; a person must prove that it is not a voice mail."""

    agent: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentPressed:
    """The key that an outside number's person pressed, or none in time."""

    agent: str
    digits: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResidentPressed:
    """Digits pressed by a resident whom we phoned about a reminder of this kind; `asked` is which question."""

    digits: str
    purpose: str = ""
    kind: str = ""
    asked: str = "answer"


@dataclass(frozen=True, kw_only=True, slots=True)
class OnCallPressed:
    """A key pressed by an on-call person whom we phoned about an emergency; empty: none."""

    digits: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivalPressed:
    """The key that an on-call person pressed who phoned in; empty: none."""

    digits: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """The provider got no usable answer before and asks for the fallback."""


Question = (
    Incoming
    | MenuEnded
    | TicketNumberGiven
    | DialEnded
    | WaitEnded
    | VoiceMailEnded
    | AgentPickedUp
    | AgentPressed
    | ResidentPressed
    | OnCallPressed
    | ArrivalPressed
    | Trouble
)


# What we answer: steps, in the order in which they are carried out.


@dataclass(frozen=True, kw_only=True, slots=True)
class Say:
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DialTarget:
    agent: str
    phone: str
    must_confirm: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class HearLive:
    """Send us the sound of both sides from here on, while the call goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RingAgents:
    """Ring all targets at once; the conversation is recorded, one channel a side.

    `passed_on`: an agent passes the resident on; where nobody answers, the agents are rung from the beginning.
    """

    targets: tuple[DialTarget, ...]
    ring_seconds: int
    attempt: int
    passed_on: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Wait in line: hear one's place (`ahead` are before), then up to `seconds` of waiting that a key ends.

    A provider that can ends it also when the caller's turn has come.
    """

    prompt: str
    seconds: int
    waits: int
    ahead: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu:
    prompt: str
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AskTicketNumber:
    """Ask the caller for a ticket number, by keys ended with # or by voice; without either the next step follows."""

    prompt: str
    seconds: int
    again: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AskArrival:
    """Ask an on-call person who phones in for a key: on site, or something else."""

    prompt: str
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AskResident:
    """One more question to a resident whom we phoned, answered by `digits` digits."""

    prompt: str
    seconds: int
    digits: int
    purpose: str
    kind: str
    asked: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TakeVoiceMail:
    prompt: str
    longest_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AskAgentToConfirm:
    agent: str
    prompt: str
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectNow:
    """Let the agent who confirmed and the resident hear each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HangUp:
    pass


Step = (
    Say
    | HearLive
    | RingAgents
    | Wait
    | Menu
    | AskTicketNumber
    | AskArrival
    | AskResident
    | TakeVoiceMail
    | AskAgentToConfirm
    | ConnectNow
    | HangUp
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """What a verified request says: the events that happened, and the question, if the provider waits for steps."""

    call_id: str
    events: tuple[CallEvent, ...]
    question: Question | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    content_type: str
    body: str


class Provider(Protocol):
    """One file a provider under `ivr/providers/`."""

    name: str

    @property
    def hooks(self) -> tuple[str, ...]:
        """The names of the hooks that it reads."""
        ...

    def verify(self, request: WebhookRequest) -> None:
        """Raises EndpointClosed, UnknownHook, BadSignature, or MalformedWebhook where there is nothing to verify."""
        ...

    def read(self, request: WebhookRequest) -> Webhook:
        """What a verified request says. Raises MalformedWebhook."""
        ...

    def asks(self, hook: str) -> bool:
        """Whether somebody on the line waits for the answer to this hook."""
        ...

    def reply(self, steps: Sequence[Step], *, call_id: str) -> Reply:
        """The steps in the provider's language. No steps: an empty answer."""
        ...
