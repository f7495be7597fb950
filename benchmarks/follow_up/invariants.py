"""Every rule, held against the rows and the phones that rang. A check yields one thing for each subject it looked at:
None where the rule was kept, else what is wrong. The rules are said anew here, not borrowed from the code under test.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from benchmarks.follow_up.office import PACE
from benchmarks.follow_up.world import Try, World, grouped
from callcenter.db.calls import CallRow
from callcenter.db.reminders import ReminderRow
from callcenter.db.tickets import TicketDeadlineRow
from callcenter.domain.calls import Direction, OutboundOutcome
from callcenter.domain.phone_numbers import dialable

Findings = Iterator[str | None]
Check = Callable[[World], Findings]

ENDS = frozenset({"done", "cancelled", "handed_over"})
MISSED = frozenset({"rang_out", "refused", "voice_mail", "abandoned"})
EXPLAIN = frozenset({"do_not_call", "ticket_finished", "another_call_served"})
"""Why a missed call needs no call-back: the last is a person who spoke to the resident."""
SERVED = frozenset({"call_back_promised", "complaint_first_reply", "missed_call", "progress"})
"""Kinds that a call about the same ticket makes unnecessary: not the one after the fix, nor that before a visit."""
LINE_TAKEN_LOOK = timedelta(minutes=2)
TRY_LATER = frozenset({"no_answer", "refused", "machine"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    rule: str
    looked_at: int
    broken: tuple[str, ...]


def judge(world: World) -> list[Verdict]:
    verdicts = []
    for rule, check in RULES.items():
        found = list(check(world))
        broken = tuple(one for one in found if one is not None)
        verdicts.append(Verdict(rule=rule, looked_at=len(found), broken=broken))
    return verdicts


def _decent_hours(world: World) -> Findings:
    for one in _rung(world):
        hour = world.rules.calendar.local(one.at).hour
        decent = 9 <= hour < 12 or 14 <= hour < 20
        yield (
            None
            if decent or _may_ring_any_time(world, one)
            else f"{_name(one)} at {world.rules.calendar.local(one.at)}"
        )


def _may_ring_any_time(world: World, one: Try) -> bool:
    promised = one.reminder.promised_for
    if one.reminder.kind != "call_back_promised" or promised is None:
        return False
    ticket = world.tickets.get(one.reminder.ticket_id or 0)
    is_emergency = ticket is not None and ticket.urgency == "emergency"
    return is_emergency or one.at <= promised + timedelta(minutes=30)


def _do_not_call(world: World) -> Findings:
    for one in _rung(world):
        asked = world.do_not_call.get(one.attempt.to_number)
        if asked is not None:
            late = one.at > asked.since and not world.clock_was_wrong(one.at, asked.since + timedelta(days=2))
            yield f"{_name(one)} after the resident asked not to be called" if late else None
    for row in world.reminders.values():
        if row.to_number in world.do_not_call:
            yield f"reminder {row.id} still waits for a number not to be called" if row.state not in ENDS else None


def _wishes(world: World) -> Findings:
    """No call at a time of day that the resident does not want; greetings only to those who agreed."""
    for one in _rung(world):
        wish = world.wishes.get(one.attempt.to_number)
        if wish is not None:
            unwanted = (wish.not_mornings, wish.not_afternoons, wish.not_evenings)[_part(world, one.at)]
            yield f"{_name(one)} at an unwanted time of day" if unwanted and one.at > wish.noted_at else None
        if one.reminder.kind == "festival_greeting":
            yield None if wish is not None and wish.greetings else f"{_name(one)} without consent"


def _days_of_the_kind(world: World) -> Findings:
    """Fees on working days in office hours, the call after the fix on no festival, nothing after its window."""
    for one in _rung(world):
        local = world.rules.calendar.local(one.at)
        if one.reminder.kind == "overdue_fee":
            fine = world.rules.calendar.is_working_day(local.date()) and local.hour < 18
            yield None if fine else f"{_name(one)} on {local}"
        if one.reminder.kind.startswith("satisfaction"):
            yield f"{_name(one)} on {local}" if world.rules.calendar.is_festival(local.date()) else None
        if one.reminder.expires_at is not None:
            yield f"{_name(one)} after its window" if one.at >= one.reminder.expires_at else None


def _pace(world: World) -> Findings:
    """A campaign's calls a minute; a trunk's calls a minute and at once."""
    trunk = world.rules.trunks[0]
    campaigns = grouped((one.attempt.campaign_id, one.at) for one in _rung(world) if one.attempt.campaign_id)
    paces = [(PACE, sorted(times)) for times in campaigns.values()]
    paces.append((trunk.calls_a_minute, sorted(one.at for one in _rung(world))))
    for pace, times in paces:
        for first, beyond in zip(times, times[pace:], strict=False):
            fast = beyond - first < timedelta(minutes=1) and not world.clock_was_wrong(first, beyond)
            yield f"more than {pace} calls in the minute from {first}" if fast else None


def _one_contact_a_topic_a_day(world: World) -> Findings:
    for topic, tries in world.by_topic().items():
        days = Counter(world.local_day(one.at) for one in tries if one.reached)
        yield f"{topic} reached {max(days.values())} times on a day" if max(days.values(), default=0) > 1 else None


def _three_tries_a_topic(world: World) -> Findings:
    for topic, tries in world.by_topic().items():
        yield f"{topic}: {len(tries)} tries" if len(tries) > 3 else None


def _five_tries_a_number_a_day(world: World) -> Findings:
    for number, tries in world.by_number().items():
        for day, count in Counter(world.local_day(one.at) for one in tries).items():
            yield f"{number} tried {count} times on {day}" if count > 5 else None


def _rung_once_for_an_attempt(world: World) -> Findings:
    """Every phone that rang has its attempt row; an attempt that the provider refused rang nobody's phone."""
    for orphan in world.orphans:
        yield f"{orphan.idempotency_key} rang without an attempt on record"
    for one in world.tries:
        wrong = one.rang is not None and one.attempt.outcome == "refused_by_provider"
        yield f"{_name(one)} rang and is on record as refused" if wrong else None


def _one_call_at_a_time(world: World) -> Findings:
    for number, tries in world.by_number().items():
        spans = sorted((one.rang.at, one.rang.ended_at) for one in tries if one.rang is not None)
        for (_, ended), (began, _) in pairwise(spans):
            overlap = began < ended and not world.clock_was_wrong(began - timedelta(hours=3), ended)
            yield f"{number} rung while we were talking to it, {began}" if overlap else None


def _never_twice_for_the_same(world: World) -> Findings:
    """Once reached about a ticket, the resident is not phoned for what was owed on it then, later promises apart.

    What another ticket brought along when it was merged later was not owed on this one then. Which phone rang first is
    told by the provider's clock: ours may have been wrong, and what was owed when cannot be told from a wrong one.
    """
    for ticket, tries in world.of_ticket().items():
        for earlier in tries:
            if earlier.rang is None or not earlier.reached:
                continue
            for later in tries:
                if later.rang is None or later.rang.at <= earlier.rang.at:
                    continue
                merged = any(
                    line.action in ("merged", "unmerged") and line.at >= earlier.at for line in world.history[ticket]
                )
                moments = (earlier.at, later.reminder.created_at)
                wrong = any(world.clock_was_wrong(at, at) for at in moments)
                if not merged and (later.reminder.id == earlier.reminder.id or not wrong):
                    yield f"ticket {ticket}: {_name(later)} after {_name(earlier)}" if _same(earlier, later) else None


def _same(earlier: Try, later: Try) -> bool:
    if later.reminder.id == earlier.reminder.id:
        return True
    if later.reminder.kind not in SERVED:
        return False
    if later.attempt.to_number != earlier.attempt.to_number or later.reminder.created_at > earlier.at:
        return False
    kept_until = (earlier.reminder.promised_for or earlier.at) + timedelta(hours=1)
    return later.reminder.promised_for is None or later.reminder.promised_for <= kept_until


def _missed_once(world: World) -> Findings:
    """Two missed calls of one number that one call-back answers are not called back twice."""
    for number, tries in world.by_number().items():
        backs = [one for one in tries if one.reminder.kind == "missed_call"]
        reached = [one for one in backs if one.reached]
        for earlier in reached:
            for later in backs:
                call = world.calls.get(later.reminder.call_id or "")
                if later.at > earlier.at and call is not None and earlier.rang is not None:
                    yield (
                        f"{number}: {_name(later)} answers {call.id}, which {_name(earlier)} had answered"
                        if (call.started_at < earlier.rang.at)
                        else None
                    )


def _another_time_of_day(world: World) -> Findings:
    for tries in world.of_reminder().values():
        for first, second in pairwise(one for one in tries if one.may_have_rung):
            same_number = first.attempt.to_number == second.attempt.to_number
            if first.reminder.kind == "overdue_fee" and first.attempt.to_number in world.wishes:
                continue  # office hours and a wish leave one time of day
            if first.attempt.outcome in TRY_LATER and same_number and not world.clock_was_wrong(first.at, second.at):
                yield (
                    f"{_name(second)} at the same time of day"
                    if _part(world, first.at) == _part(world, second.at)
                    else None
                )


def _part(world: World, at: datetime) -> int:
    """Morning 0, afternoon 1, evening 2."""
    hour = world.rules.calendar.local(at).hour
    return (hour >= 12) + (hour >= 18)


def _wrong_number_never_again(world: World) -> Findings:
    calls = world.calls_of_number()
    for number, tries in world.by_number().items():
        wrong = [one for one in tries if one.attempt.outcome == OutboundOutcome.WRONG_NUMBER]
        for known in wrong[:1]:
            ended = known.attempt.ended_at or known.at
            alive = [call.started_at for call in calls.get(number, []) if call.direction == Direction.INBOUND]
            later = [one for one in tries if one.at > max(ended, known.at)]
            later = [one for one in later if not any(known.at <= at <= one.at for at in alive)]
            yield f"{_name(later[0])} to a number known as wrong" if later else None


def _promises(world: World) -> Findings:
    """Kept by its time, or tried by then, or given to a person by then; never just let go."""
    tries, reminders = grouped((one.reminder.ticket_id, one) for one in world.tries), world.reminders_of_ticket()
    for limit in world.deadlines:
        if limit.kind != "promise" or limit.basis not in ("call_back", "reply"):
            continue
        rows, ticket = reminders.get(limit.ticket_id, []), f"ticket {limit.ticket_id}"
        kept = _promise_kept(world, limit, rows, tries.get(limit.ticket_id, []))
        due = world.rules.calendar.local(limit.due_at)
        yield None if kept else f"{ticket}: promise for {due}, met {limit.met_at}, {_states(world, rows)}"


def _states(world: World, rows: list[ReminderRow]) -> list[str]:
    return [f"{row.kind} {row.state}: {row.reason}, due {world.rules.calendar.local(row.due_at)}" for row in rows]


def _promise_kept(world: World, limit: TicketDeadlineRow, rows: list[ReminderRow], tries: list[Try]) -> bool:
    by = limit.due_at + timedelta(minutes=2)
    if limit.cancelled_at is not None or (limit.met_at is not None and limit.met_at <= by):
        return True
    handed = [row for row in rows if row.state == "handed_over" or row.reason == "do_not_call"]
    heard_of = _heard_of(world, limit)
    settled = limit.met_at is not None or bool(handed)
    told = any((row.finished_at or by) <= by for row in handed)
    tried_or_told = told or any((limit.counts_from or heard_of) <= one.at <= by for one in tries)
    heard_of_too_late = heard_of + timedelta(minutes=5) >= limit.due_at
    return settled and (tried_or_told or heard_of_too_late or world.was_disturbed(heard_of, by))


def _heard_of(world: World, limit: TicketDeadlineRow) -> datetime:
    """When we learned of the promise: with the ticket, with a call joined to it, or on the console."""
    call_ids = {one.get("call_id") for one in limit.evidence}
    lines = [line.at for line in world.history[limit.ticket_id] if line.data.get("call_id") in call_ids]
    return min(lines, default=limit.counts_from or world.history[limit.ticket_id][0].at)


def _first_replies(world: World) -> Findings:
    of_ticket, reminders = world.of_ticket(), world.reminders_of_ticket()
    for limit in world.deadlines:
        if limit.kind != "first_reply":
            continue
        in_time = limit.met_at is not None and limit.met_at <= limit.due_at
        rows = reminders.get(limit.ticket_id, [])
        told = any(row.state == "handed_over" or row.reason == "do_not_call" for row in rows)
        tried = any(one.at <= limit.due_at for one in of_ticket.get(limit.ticket_id, []))
        disturbed = world.was_disturbed(limit.due_at - timedelta(hours=24), limit.due_at)
        settled = limit.met_at is not None or told
        fine = limit.cancelled_at is not None or in_time or (settled and (tried or told or disturbed))
        yield (
            None
            if fine
            else (
                f"ticket {limit.ticket_id}: no first reply by {world.rules.calendar.local(limit.due_at)}, "
                f"met {limit.met_at}, {_states(world, rows)}"
            )
        )


def _missed_calls(world: World) -> Findings:
    """Called back, spoken to since, given to a person, or not to be called; never just missed."""
    of_number, backs = world.calls_of_number(), world.of_reminder()
    by_number: dict[str, list[ReminderRow]] = {}
    for row in world.reminders.values():
        call = world.calls.get(row.call_id or "")
        caller = dialable(call.from_number) if call is not None else None
        if row.kind == "missed_call" and caller is not None:
            by_number.setdefault(caller, []).append(row)
    for call in world.inbound():
        number = dialable(call.from_number)
        if call.disposition not in MISSED or number is None:
            continue
        spoken = any(_spoken_to(other) and other.started_at > call.started_at for other in of_number.get(number, []))
        rows = [row for row in by_number.get(number, []) if (row.finished_at or world.ended_at) >= call.started_at]
        answered = any(row.state in ("done", "handed_over") or row.reason in EXPLAIN for row in rows)
        called = any(one.reached and one.at >= call.started_at for row in rows for one in backs.get(row.id, []))
        fine = spoken or answered or called or number in world.do_not_call
        yield (None if fine else f"{call.id} ({call.disposition}) of {number}: not called back, {_states(world, rows)}")


def _spoken_to(call: CallRow) -> bool:
    return call.disposition == "answered" or call.outbound_outcome == OutboundOutcome.REACHED


def _nothing_forgotten(world: World) -> Findings:
    """Over, with a reason; or a fee that nobody mentions to a number while its complaint is still open."""
    complaining = {
        dialable(number)
        for ticket in world.tickets.values()
        if ticket.request_type == "complaint" and ticket.status not in ("verified", "closed")
        for number in (ticket.caller_number, ticket.phone)
    }
    for row in world.reminders.values():
        over = row.state in ENDS and row.finished_at is not None and row.reason is not None
        rests = row.state == "waiting" and row.reason == "open_complaint" and row.to_number in complaining
        yield (
            None if over or rests else f"reminder {row.id} ({row.kind}) is {row.state}, due {row.due_at}, {row.reason}"
        )


def _nothing_late(world: World) -> Findings:
    """The first try is made by the time promised; after a scheduler was killed, as soon as its claim lapses.

    Where the resident's line was taken at that time (a call in, or another of our calls), within two minutes after it.
    """
    grace = timedelta(seconds=70 if world.tally.failed["schedulers killed"] else 0)
    for tries in world.of_reminder().values():
        first = tries[0]
        promised = first.reminder.promised_for
        if promised is None or promised <= first.reminder.created_at:
            continue
        late = first.at > promised + grace and not world.was_disturbed(first.reminder.created_at, first.at)
        looked = max(promised, first.at - LINE_TAKEN_LOOK)
        late = late and not world.line_was_taken(first.attempt.to_number, looked)
        yield f"{_name(first)} left {first.at - promised} after the time promised" if late else None


def _nothing_stuck(world: World) -> Findings:
    yield f"{world.unfolded} events not folded" if world.unfolded else None
    yield f"{world.spooled} events left in the spool" if world.spooled else None
    for one in world.tries:
        yield f"{_name(one)} has no outcome" if one.attempt.outcome is None else None
    for call in world.calls.values():
        yield f"{call.id} has no end" if call.ended_at is None else None


def _outcomes_are_true(world: World) -> Findings:
    for one in world.tries:
        if one.rang is not None:
            unsure = one.attempt.outcome in ("uncertain", "unknown")
            true = one.attempt.outcome == one.rang.outcome.value
            yield None if true or unsure else f"{_name(one)} is {one.attempt.outcome}; it was {one.rang.outcome.value}"


def _every_call_has_its_ticket(world: World) -> Findings:
    for call in world.inbound():
        if call.disposition in ("answered", "voice_mail"):
            yield None if call.id in world.ticket_of_call else f"{call.id} ({call.disposition}) has no ticket"


def _last_try_goes_to_a_person(world: World) -> Findings:
    for row_id, tries in world.of_reminder().items():
        row = world.reminders[row_id]
        rung = [one for one in tries if one.may_have_rung]
        if len(rung) == 3 and rung[-1].attempt.outcome != OutboundOutcome.REACHED:
            ended = row.state in ("handed_over", "cancelled") or row.reason == "another_call_served"
            yield None if ended else f"reminder {row_id} is {row.state} after its last try"


def _rung(world: World) -> Iterator[Try]:
    return (one for one in world.tries if one.may_have_rung)


def _name(one: Try) -> str:
    return f"{one.attempt.idempotency_key} ({one.reminder.kind}, {one.attempt.outcome})"


RULES: dict[str, Check] = {
    "decent hours, promises and emergencies apart": _decent_hours,
    "do not call: never after": _do_not_call,
    "unwanted times of day; greetings agreed to": _wishes,
    "days and window of the kind": _days_of_the_kind,
    "pace of campaigns and trunks": _pace,
    "at most one contact a topic a day": _one_contact_a_topic_a_day,
    "at most three tries a topic": _three_tries_a_topic,
    "at most five tries a number a day": _five_tries_a_number_a_day,
    "every phone that rang is on record, once": _rung_once_for_an_attempt,
    "one call to a number at a time": _one_call_at_a_time,
    "nobody twice for the same thing": _never_twice_for_the_same,
    "one call-back for calls missed together": _missed_once,
    "no answer: another time of day": _another_time_of_day,
    "wrong number: never again": _wrong_number_never_again,
    "promise kept, tried in time, or with a person": _promises,
    "promised call leaves before its time": _nothing_late,
    "first reply in 24 h, tried, or with a person": _first_replies,
    "missed call called back or explained": _missed_calls,
    "last try goes to a person": _last_try_goes_to_a_person,
    "no reminder forgotten": _nothing_forgotten,
    "no row stuck": _nothing_stuck,
    "outcome on record is what happened": _outcomes_are_true,
    "every call has its ticket": _every_call_has_its_ticket,
}
