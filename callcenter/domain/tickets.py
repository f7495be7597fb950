"""The ticket (工单): its vocabulary, the machine's draft of it, and its life."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from callcenter.domain.transcript import Side

T = TypeVar("T")


class RequestType(StrEnum):
    """诉求类型."""

    REPAIR = "repair"
    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    PRAISE = "praise"
    EMERGENCY = "emergency"
    PROGRESS = "progress"
    OTHER = "other"


class Urgency(StrEnum):
    """紧急 / 急 / 一般."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    NORMAL = "normal"


class Responsibility(StrEnum):
    """责任部位: inside the home (自用部位) or shared (共用部位)."""

    HOME = "home"
    SHARED = "shared"


class PromiseKind(StrEnum):
    """What the agent said would happen."""

    CALL_BACK = "call_back"
    VISIT = "visit"
    REPLY = "reply"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The words that a value was taken from, and where they stand in the recording (milliseconds)."""

    side: Side
    words: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Found(Generic[T]):
    """A value taken from what was said: how sure (0..1), from which words, and whether it was read back and agreed.

    A value below the caller's threshold is kept here for the reviewer, but `TicketDraft.sure()` leaves it out.
    """

    value: T
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    read_back: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where it is; figures as written on a ticket ("3", "2", "501"), None where nothing was said."""

    estate: str | None = None
    phase: str | None = None
    lane: str | None = None
    building: str | None = None
    unit: str | None = None
    floor: str | None = None
    room: str | None = None

    @property
    def is_empty(self) -> bool:
        return not any((self.estate, self.phase, self.lane, self.building, self.unit, self.floor, self.room))

    def written(self) -> str:
        """The address as a ticket shows it: 3栋2单元501, 198弄4号1103室."""
        number = (f"{self.building}号" if self.lane else f"{self.building}栋") if self.building else ""
        room = (f"{self.room}室" if self.lane else self.room) if self.room else ""
        parts = (
            self.estate or "",
            self.phase or "",
            f"{self.lane}弄" if self.lane else "",
            number,
            f"{self.unit}单元" if self.unit else "",
            f"{self.floor}楼" if self.floor and not self.room else "",
            room,
        )
        return "".join(parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """When the resident is at home or wants the visit (timezone-aware, either end may be open)."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What the agent promised (承诺) and by when; `due` is None where no time was said."""

    kind: PromiseKind
    text: str
    due: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """Money that either side named, in yuan; `text` as it was said."""

    yuan: Decimal
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """What the agent asked leave for, in the agent's words, and whether the resident gave it."""

    asked: str
    given: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DoNotCall:
    """The resident wants no more calls to `number` (E.164); None: to the number that the call came from."""

    number: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One of several things that one call is about, in the resident's own words."""

    category: str
    request_type: RequestType | None
    urgency: Urgency
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketDraft:
    """What the machine heard. None or empty means that nothing was said, never a guess.

    `problems` has two entries or more, or none: a call about one thing is told by the fields themselves.
    """

    request_type: Found[RequestType] | None = None
    categories: tuple[Found[str], ...] = ()
    urgency: Found[Urgency] | None = None
    responsibility: Found[Responsibility] | None = None
    place: Found[Place] | None = None
    contact: Found[str] | None = None
    phone: Found[str] | None = None
    wanted: Found[Wanted] | None = None
    promises: tuple[Found[Promise], ...] = ()
    summary: Found[str] | None = None
    amounts: tuple[Found[Amount], ...] = ()
    demands: tuple[Found[str], ...] = ()
    solved_on_call: Found[bool] | None = None
    do_not_call: Found[DoNotCall] | None = None
    consents: tuple[Found[Consent], ...] = ()
    problems: tuple[Found[Problem], ...] = ()
    written: str = ""
    must_listen: bool = False
    notes: tuple[str, ...] = field(default=())
