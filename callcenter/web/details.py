"""What else was said on a call: further problems, money, demands, consents, how it ended. Each with its words."""

from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.db.tickets import TicketFieldRow, TicketRow
from callcenter.domain.heard_fields import read_problem
from callcenter.domain.tickets import Problem
from callcenter.web.formats import masked
from callcenter.web.language import N_
from callcenter.web.rendering import Reader
from callcenter.web.script import Piece, pieces

KINDS = ("demand", "amount", "consent", "call")
LABELS = {
    "demand": N_("要求"),
    "amount": N_("金额"),
    "consent": N_("征得同意"),
    "call.solved": N_("通话中解决"),
    "call.do_not_call": N_("不要再打"),
}
YES, NO = N_("是"), N_("否")
AGREED, NOT_AGREED = N_("同意"), N_("不同意")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProblemView:
    """One of several problems. `is_own`: the ticket itself is about it; `made` is the ticket that was made of it."""

    field: str
    words: str
    category: str
    urgency: str
    is_own: bool
    made: TicketRow | None
    can_be_made: bool
    evidence: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailView:
    label: str
    value: str
    evidence: tuple[Piece, ...]


def problem_views(
    ticket: TicketRow, rows: Mapping[str, TicketFieldRow], made: Mapping[str, TicketRow], reader: Reader
) -> tuple[ProblemView, ...]:
    """In the order in which they were told; none where the call was about one thing."""
    found = []
    for name in sorted(name for name in rows if name.startswith("problem.")):
        problem = read_problem(rows[name].value or "")
        if problem is not None:
            found.append(_problem(ticket, rows[name], problem, made.get(name), reader))
    return tuple(found)


def _problem(
    ticket: TicketRow, row: TicketFieldRow, problem: Problem, made: TicketRow | None, reader: Reader
) -> ProblemView:
    is_own = problem.category == ticket.category
    return ProblemView(
        field=row.field,
        words=problem.text,
        category=reader.labels("category", problem.category),
        urgency=problem.urgency,
        is_own=is_own,
        made=made,
        can_be_made=not is_own and made is None and ticket.merged_into is None,
        evidence=pieces([row]),
    )


def detail_views(rows: Mapping[str, TicketFieldRow], reader: Reader) -> tuple[DetailView, ...]:
    """Everything that has no field of its own, kind by kind."""
    names = sorted(name for name in rows if name.split(".")[0] in KINDS)
    names.sort(key=lambda name: KINDS.index(name.split(".")[0]))
    return tuple(
        DetailView(label=_label(name, reader), value=_value(rows[name], reader), evidence=pieces([rows[name]]))
        for name in names
    )


def _label(name: str, reader: Reader) -> str:
    words = LABELS.get(name) or LABELS.get(name.split(".")[0])
    return reader.catalog.gettext(words) if words else name


def _value(row: TicketFieldRow, reader: Reader) -> str:
    say, text = reader.catalog.gettext, row.value or ""
    if row.field == "call.do_not_call":
        return say("本机号码") if text == "caller" else masked(text)
    if row.field == "call.solved":
        solved = YES if text == "yes" else NO
        return say(solved)
    if row.field.startswith("consent."):
        asked, _, answer = text.rpartition(" ")
        given = AGREED if answer == "yes" else NOT_AGREED
        return say("“%(asked)s”：%(answer)s", asked=asked, answer=say(given))
    return text
