"""Who lives there: when they phone, what they report, whether they answer. Everything follows from the seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeVar

from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.calls import OutboundOutcome
from callcenter.domain.reminder_kind import STOP_KEY
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import (
    Evidence,
    Found,
    Place,
    Promise,
    PromiseKind,
    RequestType,
    TicketDraft,
    Urgency,
    Wanted,
)
from callcenter.domain.transcript import Side

T = TypeVar("T")

BY_HOUR = (1, 1, 0, 0, 0, 1, 3, 8, 14, 16, 15, 11, 7, 7, 9, 10, 10, 11, 13, 14, 12, 8, 4, 2)
"""How often residents phone, by hour of the day."""

CATEGORIES = ("plumbing", "power", "lift", "access", "noise", "cleaning", "parking", "fees", "public_facility", "other")
TYPES = (
    (RequestType.REPAIR, 46),
    (RequestType.COMPLAINT, 20),
    (RequestType.ENQUIRY, 14),
    (RequestType.PROGRESS, 6),
    (RequestType.SUGGESTION, 4),
    (RequestType.PRAISE, 3),
    (RequestType.EMERGENCY, 2),
    (RequestType.OTHER, 5),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resident:
    """One home's person with their habits; `shown_number` is what the provider tells of a call from them."""

    home: int
    number: str
    shown_number: str | None
    place: Place
    name: str
    at_work_by_day: bool
    number_is_dead: bool
    hates_calls: bool
    gives_wrong_number: bool
    phones_again: float


class Residents:
    """All homes. Drawn anew from the seed whenever asked, so that nothing depends on the order of questions."""

    def __init__(self, *, seed: int, homes: int) -> None:
        self.seed = seed
        self.homes = homes

    def __getitem__(self, home: int) -> Resident:
        draw = Random(f"{self.seed}:home:{home}")
        number = f"+86139{home:08}"
        shown = None if draw.random() < 0.01 else draw.choice((number, number, number, number[3:], "0" + number[3:]))
        return Resident(
            home=home,
            number=number,
            shown_number=shown,
            place=Place(
                building=str(home // 100 + 1),
                unit=str(home % 100 // 50 + 1),
                room=f"{home % 50 // 2 + 1}0{home % 2 + 1}",
            ),
            name=draw.choice("王李张刘陈杨赵黄周吴") + draw.choice(("先生", "女士")),
            at_work_by_day=draw.random() < 0.6,
            number_is_dead=False,
            hates_calls=draw.random() < 0.03,
            gives_wrong_number=draw.random() < 0.02,
            phones_again=draw.choice((0.05, 0.15, 0.15, 0.4)),
        )

    def of_number(self, number: str) -> Resident:
        """Whose number it is; one that begins otherwise belongs to nobody."""
        resident = self[int(number.removeprefix("+86")[3:])]
        return resident if number == resident.number else replace(resident, number=number, number_is_dead=True)

    def calls_of(self, day: date, *, calendar: WorkCalendar, calls_a_home: float) -> Iterator[tuple[datetime, int]]:
        """When that day's calls come in, and from which homes: more after a burst pipe, fewer on a day off."""
        draw = Random(f"{self.seed}:calls:{day}")
        busy = 3.0 if draw.random() < 0.03 else (1.0 if calendar.is_working_day(day) else 0.7)
        expected = self.homes * calls_a_home * busy
        count = max(0, round(draw.gauss(expected, expected**0.5)))
        for _ in range(count):
            hour = draw.choices(range(24), BY_HOUR)[0]
            at = calendar.at(day, time(hour)) + timedelta(seconds=draw.randrange(3600))
            yield at, draw.randrange(self.homes)


def answers(resident: Resident, at: datetime, draw: Random, *, is_day_off: bool) -> OutboundOutcome:
    """What becomes of a call to the resident at that local time."""
    if resident.number_is_dead:
        return OutboundOutcome.WRONG_NUMBER
    odd = draw.random()
    for share, outcome in (
        (0.08, OutboundOutcome.BUSY),
        (0.04, OutboundOutcome.REFUSED),
        (0.04, OutboundOutcome.MACHINE),
        (0.02, OutboundOutcome.FAILED),
    ):
        if odd < share:
            return outcome
        odd -= share
    away = resident.at_work_by_day and not is_day_off and 8 <= at.hour < 18
    picks_up = 0.35 if away else 0.85
    return OutboundOutcome.REACHED if draw.random() < picks_up else OutboundOutcome.NO_ANSWER


def keys_pressed(resident: Resident, draw: Random, *, kind: str) -> str:
    """Mostly one of the kind's keys, sometimes none or one that there is not."""
    if resident.hates_calls and draw.random() < 0.7:
        return STOP_KEY
    asked_for = sorted(set(reminder_kinds()[kind].keys) - {STOP_KEY})
    return draw.choice((*asked_for, *asked_for, "1", "", "8", "*"))


def draft(resident: Resident, at: datetime, draw: Random, *, category: str | None = None) -> TicketDraft:
    """What the machine makes of the call; `at` is local. With `category` it is about the same thing once more."""
    kind = draw.choices([one for one, _ in TYPES], [share for _, share in TYPES])[0]
    urgency = (
        Urgency.EMERGENCY
        if kind is RequestType.EMERGENCY
        else (Urgency.URGENT if draw.random() < 0.15 else Urgency.NORMAL)
    )
    about = category or draw.choice(CATEGORIES)
    other_number, no_number = draw.random() < 0.08, resident.gives_wrong_number
    spoken = f"139{(resident.home + 1) % 100_000_000:08}" if other_number else resident.number.removeprefix("+86")
    spoken = f"138{resident.home:08}" if no_number else spoken
    return TicketDraft(
        request_type=_heard(kind, draw),
        categories=(_heard(about, draw),) if category or draw.random() < 0.93 else (),
        urgency=_heard(urgency, draw),
        place=_heard(resident.place, draw) if draw.random() < 0.9 else None,
        contact=_heard(resident.name, draw) if draw.random() < 0.8 else None,
        phone=_heard(spoken, draw) if draw.random() < 0.5 else None,
        wanted=_heard(Wanted(start=at + timedelta(days=1), end=at + timedelta(days=1, hours=2)), draw)
        if draw.random() < 0.1
        else None,
        promises=tuple(promises(at, draw)),
        summary=_heard("厨房水管漏水", draw),
        must_listen=draw.random() < 0.03,
    )


def promises(at: datetime, draw: Random) -> Iterator[Found[Promise]]:
    """What agents say: within half an hour, by three, tonight at half past nine, tomorrow at ten, the day after."""
    if draw.random() < 0.45:
        return
    for _ in range(draw.choice((1, 1, 1, 2))):
        kind = draw.choice((PromiseKind.CALL_BACK,) * 6 + (PromiseKind.REPLY, PromiseKind.VISIT, PromiseKind.OTHER))
        due = draw.choice(
            (
                None,
                at + timedelta(minutes=30),
                at + timedelta(minutes=10),
                at + timedelta(hours=2),
                _next(at, time(15)),
                _next(at, time(21, 30)),
                _next(at, time(12, 0)),
                _next(at, time(10)) + timedelta(days=1),
                _next(at, time(23, 59)),
                _next(at, time(18)) + timedelta(days=2),
            )
        )
        yield _heard(Promise(kind=kind, text="给您回电", due=due), draw)


def _next(at: datetime, clock_time: time) -> datetime:
    """The next time that a local clock shows this."""
    found = datetime.combine(at.date(), clock_time, tzinfo=at.tzinfo)
    return found if found > at else found + timedelta(days=1)


def _heard(value: T, draw: Random) -> Found[T]:
    evidence = Evidence(side=Side.RESIDENT, words="…", start_ms=1000, end_ms=2000)
    return Found(value=value, confidence=0.9 if draw.random() < 0.92 else 0.4, evidence=(evidence,))
