"""What a call.toml expects against what came out: one sentence for each difference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from callcenter.demo.call_script import ZONE, CallScript, at_local_time
from callcenter.demo.call_toml import CallBackTable, OnCallTable, TicketTable
from callcenter.demo.director import Performance
from callcenter.demo.far_end.people import last_digits
from callcenter.demo.stage import FarEndJournal
from callcenter.reports.call_results import CallBackResult, CallResult, OnCallResult, TicketResult

OUTCOMES = {"answers": "reached", "busy": "busy", "no_answer": "no_answer"}
STATUSES = {"answers": "completed", "busy": "busy", "no_answer": "no-answer"}


def differences(scripts: tuple[CallScript, ...], performance: Performance) -> tuple[str, ...]:
    """Every expectation that was not met, with the call's name before it; also what the far end complained about."""
    found = [f"{script.name}: {line}" for script in scripts for line in _of_call(script, performance)]
    found += [f"far end: {problem}" for problem in performance.journal.problems]
    return (*found, *performance.complaints)


def differences_by_telephone(
    scripts: Sequence[CallScript], results: Mapping[str, CallResult], complaints: Iterable[str]
) -> tuple[str, ...]:
    """As `differences`, of calls that were played in real time: what falls due later than that is not waited for."""
    found = [f"{script.name}: {line}" for script in scripts for line in _by_telephone(script, results)]
    return (*found, *complaints)


def _by_telephone(script: CallScript, results: Mapping[str, CallResult]) -> Iterator[str]:
    expect, result = script.expect, results.get(script.name)
    if expect is None:
        return
    if result is None:
        yield "the product has no record of this call"
        return
    yield from _answering(script, result)
    if expect.ticket is not None:
        yield from _ticket(expect.ticket, result.ticket, results)
    if expect.call_back is not None:
        yield from _call_back_by_telephone(expect.call_back, result)
    if expect.on_call is not None and (result.on_call is None or result.on_call.acknowledged_by is None):
        yield "on_call: expected somebody to acknowledge, nobody has"


def _call_back_by_telephone(expect: CallBackTable, result: CallResult) -> Iterator[str]:
    found = next((one for one in result.call_backs if one.kind == expect.kind), None)
    if found is None:
        yield f"call_back: expected {expect.kind}, none is planned"
    elif expect.kind == "missed_call" and all(made.outcome != OUTCOMES[expect.resident] for made in found.tries):
        got = ", ".join(made.outcome or "under way" for made in found.tries) or "not made"
        yield f"call_back: expected outcome {OUTCOMES[expect.resident]}, got {got} ({_state(found)})"


def _of_call(script: CallScript, performance: Performance) -> Iterator[str]:
    expect = script.expect
    if expect is None:
        return
    result = performance.results.get(script.name)
    if result is None:
        yield "the product has no record of this call"
        return
    yield from _answering(script, result)
    if expect.ticket is not None:
        yield from _ticket(expect.ticket, result.ticket, performance.results)
    if expect.call_back is not None:
        yield from _call_back(script, expect.call_back, result, performance.journal)
    if expect.on_call is not None:
        yield from _on_call(expect.on_call, result.on_call, performance.journal)


def _answering(script: CallScript, result: CallResult) -> Iterator[str]:
    expect = script.expect
    assert expect is not None
    pairs = (
        ("disposition", expect.disposition, result.disposition),
        ("within_three_rings", expect.within_three_rings, result.verdict),
        ("answered_by", expect.answered_by, result.answered_by),
    )
    yield from _unequal(pairs)
    if expect.rings is not None:
        low, high = result.rings or (0, 0)
        if not low <= expect.rings <= high:
            heard = f"{low} to {high} ({_milliseconds(result)})" if result.rings else "none"
            yield f"rings: expected {expect.rings}, got {heard}"


def _milliseconds(result: CallResult) -> str:
    return f"{result.ring_ms[0]}-{result.ring_ms[1]} ms of ringing" if result.ring_ms else "no ringing measured"


def _ticket(expect: TicketTable, ticket: TicketResult | None, results: Mapping[str, CallResult]) -> Iterator[str]:
    if ticket is None:
        yield "ticket: expected one, there is none"
        return
    pairs = [
        (f"ticket.{key}", getattr(expect, key), getattr(ticket, key))
        for key in ("type", "category", "urgency", "place", "contact", "must_listen")
    ]
    yield from _unequal(pairs)
    if expect.phone is not None and last_digits(expect.phone) != last_digits(ticket.phone or ""):
        yield f"ticket.phone: expected {expect.phone}, got {ticket.phone or 'nothing'}"
    if expect.joined_to is not None:
        other = results.get(expect.joined_to)
        wanted = other.ticket.number if other and other.ticket else "a ticket that is not there"
        if (ticket.number, ticket.relation) != (wanted, "repeat"):
            yield f"ticket.joined_to: expected to join {wanted}, got {ticket.number} ({ticket.relation})"


def _unequal(pairs: Iterable[tuple[str, object, object]]) -> Iterator[str]:
    for key, wanted, got in pairs:
        if wanted is not None and wanted != got:
            yield f"{key}: expected {wanted}, got {'nothing' if got is None else got}"


def _call_back(script: CallScript, expect: CallBackTable, result: CallResult, journal: FarEndJournal) -> Iterator[str]:
    """The product must say so, and the resident's phone must really have rung."""
    found = next((one for one in result.call_backs if one.kind == expect.kind), None)
    if found is None:
        yield f"call_back: expected {expect.kind} by {expect.by}, none is planned"
        return
    by = at_local_time(expect.by)
    in_time = [made for made in found.tries if made.at <= by]
    if not in_time:
        late = f"made at {found.tries[0].at.astimezone(ZONE):%H:%M:%S}" if found.tries else "not made"
        yield f"call_back: expected {expect.kind} by {expect.by}, {late} ({_state(found)})"
        return
    wanted = OUTCOMES[expect.resident]
    if all(made.outcome != wanted for made in in_time):
        got = in_time[-1].outcome or "nothing"
        yield f"call_back: expected outcome {wanted}, got {got} ({_state(found)})"
    yield from _really_rang(script, expect, journal)


def _on_call(expect: OnCallTable, found: OnCallResult | None, journal: FarEndJournal) -> Iterator[str]:
    """The product must say so, and that person's phone must really have rung."""
    if found is None or found.acknowledged_by != expect.person or found.acknowledged_at is None:
        got = "no alarm" if found is None else f"{found.state}, {len(found.tries)} call(s)"
        yield f"on_call: expected {expect.person} to acknowledge, got {got}"
        return
    by = at_local_time(expect.by)
    if found.acknowledged_at > by:
        yield f"on_call: expected by {expect.by}, acknowledged at {found.acknowledged_at.astimezone(ZONE):%H:%M:%S}"
    number = last_digits(found.tries[-1].to_number)
    if not any(last_digits(one.to) == number and one.status == "completed" and one.heard for one in journal.placed):
        yield f"on_call: {number} was not rung, or heard nothing"


def _really_rang(script: CallScript, expect: CallBackTable, journal: FarEndJournal) -> Iterator[str]:
    spoken = script.expect.ticket.phone if script.expect and script.expect.ticket else None
    number = last_digits(spoken or script.number)
    calls = [placed for placed in journal.placed if last_digits(placed.to) == number]
    fitting = [one for one in calls if one.at <= at_local_time(expect.by) and one.status == STATUSES[expect.resident]]
    if not fitting:
        yield f"call_back: no such call reached {number}; the far end saw {len(calls)} call(s) to it"
    elif expect.resident == "answers" and not any(one.heard for one in fitting):
        yield f"call_back: {number} answered and heard nothing"


def _state(found: CallBackResult) -> str:
    due = found.due_at.astimezone(ZONE)
    return f"{found.state}, due {due:%H:%M:%S}" + (f", {found.reason}" if found.reason else "")
