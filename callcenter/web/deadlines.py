"""A deadline as the page shows it: what must happen, why, by when, and how it stands."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.db.tickets import TicketDeadlineRow
from callcenter.domain.deadline_standing import DeadlineStanding, Light, deadline_standing
from callcenter.domain.deadlines import DeadlineKind
from callcenter.web.formats import Formats
from callcenter.web.language import N_
from callcenter.web.rendering import Reader

KINDS = {
    Light.GREEN: "run",
    Light.AMBER: "late",
    Light.RED: "bad",
    Light.PAUSED: "und",
    Light.KEPT: "ok",
    Light.KEPT_LATE: "late",
    Light.CANCELLED: "none",
}
"""The shape of each light."""

SENTENCES = {
    "call_back": N_("%(time)s 前回电"),
    "visit": N_("%(time)s 前上门"),
    "reply": N_("%(time)s 前答复"),
    "other": N_("%(time)s 前兑现承诺"),
    "on_site": N_("%(time)s 前到场"),
    "first_reply": N_("%(time)s 前首次回复"),
    "settled": N_("%(time)s 前办结"),
    "passed_on": N_("%(time)s 前由部门办结"),
    "feedback_reply": N_("%(time)s 前答复反馈"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a deadline stands: the shape (ok / late / bad / run / und / none) and the words."""

    kind: str
    words: str


def standing(deadline: TicketDeadlineRow, reader: Reader) -> Standing:
    """Amber from the moment on at which its owner is told: `domain/deadline_standing.py` says when, here and there."""
    found = deadline_standing(
        due_at=deadline.due_at,
        now=reader.now,
        counts_from=deadline.counts_from,
        paused_at=deadline.paused_at,
        met_at=deadline.met_at,
        cancelled_at=deadline.cancelled_at,
        warning=reader.warning,
        told_at_once=deadline.kind == DeadlineKind.ON_SITE,
    )
    return Standing(kind=KINDS[found.light], words=_words(found, deadline, reader))


def _words(found: DeadlineStanding, deadline: TicketDeadlineRow, reader: Reader) -> str:
    f, say = reader.formats, reader.catalog.gettext
    length = f.length(abs(found.left))
    match found.light:
        case Light.KEPT:
            return say("%(time)s 兑现", time=short(deadline.met_at or reader.now, f))
        case Light.KEPT_LATE:
            return say("%(time)s 兑现，晚了 %(length)s", time=short(deadline.met_at or reader.now, f), length=length)
        case Light.CANCELLED:
            return say("已取消")
        case Light.PAUSED:
            return say("暂停计时，自 %(time)s", time=short(deadline.paused_at or reader.now, f))
        case Light.RED:
            return say("超期 %(length)s", length=length)
        case _:
            return say("还剩 %(length)s", length=length)


def short(at: datetime, f: Formats) -> str:
    """16:56 today, else 昨天 16:56."""
    return f.clock(at) if f.local(at).date() == f.local(f.now).date() else f.until(at)


def sentence(deadline: TicketDeadlineRow, reader: Reader) -> str:
    """20:30 前回电: the largest line of a ticket after its title."""
    key = deadline.basis if deadline.kind == "promise" else deadline.kind
    words = SENTENCES.get(key, SENTENCES["other"])
    return reader.catalog.gettext(words, time=short(deadline.due_at, reader.formats))


def title(deadline: TicketDeadlineRow, reader: Reader) -> str:
    if deadline.kind != "promise":
        return reader.labels("deadline", deadline.kind)
    return deadline.text or reader.labels("promise", deadline.basis) or reader.labels("deadline", "promise")


def basis(deadline: TicketDeadlineRow, reader: Reader) -> str:
    return reader.labels("basis", deadline.basis)
