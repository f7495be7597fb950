"""A deadline as the page shows it: what must happen, why, by when, and how it stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.db.tickets import TicketDeadlineRow
from callcenter.web.formats import Formats
from callcenter.web.language import N_
from callcenter.web.rendering import Reader

SOON = timedelta(minutes=30)

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
    """How a deadline stands: the shape (ok / late / bad / run) and the words."""

    kind: str
    words: str


def standing(deadline: TicketDeadlineRow, reader: Reader) -> Standing:
    f, say = reader.formats, reader.catalog.gettext
    if deadline.met_at is not None:
        return _met(deadline.due_at, deadline.met_at, reader)
    if deadline.cancelled_at is not None:
        return Standing(kind="none", words=say("已取消"))
    if deadline.paused_at is not None:
        return Standing(kind="und", words=say("暂停计时，自 %(time)s", time=short(deadline.paused_at, f)))
    left = deadline.due_at - reader.now
    if left < timedelta():
        return Standing(kind="bad", words=say("超期 %(length)s", length=f.length(-left)))
    return Standing(kind="late" if left <= SOON else "run", words=say("还剩 %(length)s", length=f.length(left)))


def _met(due: datetime, met: datetime, reader: Reader) -> Standing:
    f, say = reader.formats, reader.catalog.gettext
    at = short(met, f)
    if met <= due:
        return Standing(kind="ok", words=say("%(time)s 兑现", time=at))
    return Standing(kind="late", words=say("%(time)s 兑现，晚了 %(length)s", time=at, length=f.length(met - due)))


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
