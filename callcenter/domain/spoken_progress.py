"""How things stand with a resident's tickets, as they hear it on the phone: number, matter, state, promise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from callcenter.domain.spoken import spoken_ticket_number, spoken_time
from callcenter.domain.spoken_text import spoken_words
from callcenter.domain.ticket_life import TicketStatus

TO_AN_AGENT = "如果没有其他问题，您可以挂机；需要人工服务请稍候，正在为您转接。"
MOST_SPOKEN = 2

_STATES = {
    TicketStatus.OPEN: "已经受理，正在安排人员",
    TicketStatus.ASSIGNED: "已经安排专人跟进",
    TicketStatus.IN_PROGRESS: "正在处理",
    TicketStatus.WAITING: "正在等您的回复或配合",
    TicketStatus.SOLVED: "已经处理完毕，等您确认",
    TicketStatus.VERIFIED: "已经处理完毕",
    TicketStatus.CLOSED: "已经办结",
    TicketStatus.REOPENED: "正在重新处理",
}

_SETTLED = frozenset({TicketStatus.SOLVED, TicketStatus.VERIFIED, TicketStatus.CLOSED})
KNOWN_TO_US = "附近多户也有同样的情况，我们已经知道，正在统一处理，处理好后会逐户回电"


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One ticket: `promised_for` is by when the resident was promised to hear from us or be visited next.

    `goes_on_as` is the ticket that it was merged into, whose status and promise these are then. `shared`: other homes
    have reported the same thing, so that the cause is known and worked on for all of them.
    """

    number: str
    status: TicketStatus
    reported: str | None = None
    promised_for: datetime | None = None
    goes_on_as: str | None = None
    shared: bool = False


def spoken_progress(tickets: Sequence[Standing], *, now: datetime, zone: ZoneInfo) -> str:
    """Open tickets, one or more, the newest first; of more than a few only how many there are."""
    count = f"您有{_count(len(tickets))}张未办结的工单。" if len(tickets) > 1 else ""
    said = "".join(_one(ticket, now=now, zone=zone) for ticket in tickets[:MOST_SPOKEN])
    return f"{count}{said}{TO_AN_AGENT}"


def spoken_standing(ticket: Standing, *, now: datetime, zone: ZoneInfo) -> str:
    """One ticket, finished or not, for a caller who knows its number and need not be its resident: nothing that was
    reported, no place, no name."""
    return _one(replace(ticket, reported=None), now=now, zone=zone) + TO_AN_AGENT


def _one(ticket: Standing, *, now: datetime, zone: ZoneInfo) -> str:
    reported = f"，您反映的“{spoken_words(ticket.reported)}”" if ticket.reported else ""
    promised = ""
    if ticket.promised_for is not None and ticket.promised_for > now:
        promised = f"，我们会在{spoken_time(ticket.promised_for, now=now, zone=zone)}之前与您联系"
    merged = f"，已并入工单号{spoken_ticket_number(ticket.goes_on_as)}" if ticket.goes_on_as else ""
    state = KNOWN_TO_US if ticket.shared and ticket.status not in _SETTLED else _STATES[ticket.status]
    return f"工单号{spoken_ticket_number(ticket.number)}{merged}{reported}，{state}{promised}。"


def _count(number: int) -> str:
    numerals = {2: "两", 3: "三", 4: "四", 5: "五", 6: "六", 7: "七", 8: "八", 9: "九"}
    return numerals.get(number, "多")
