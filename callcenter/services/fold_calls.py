"""Folds stored events into the rows of their calls, and starts what follows from a call's end.

The rows in `calls` and `call_legs` can be rebuilt from the events at any time. An event is marked as folded in the
transaction that writes the call's row, so nothing is missed when the process dies in between.
"""

import functools
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_of
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.domain.calls import CallState, LegState, RecordingNotice
from callcenter.domain.folding import fold
from callcenter.domain.moments import Moment, Span
from callcenter.domain.rings import RingRule
from callcenter.ports import REMINDER
from callcenter.services.judge_again import keep_judgement
from callcenter.services.transactions import take_turns

CALLS_A_TRANSACTION = 2
"""Few, since the webhooks' writer waits for this transaction on SQLite."""

FAILED_AT_THE_PROVIDER = "the provider says that the recording failed"

_PENDING = (
    select(CallEventRow.call_id)
    .where(CallEventRow.folded.is_(False))
    .order_by(CallEventRow.id)
    .limit(CALLS_A_TRANSACTION * 8)
)
_EVENTS_OF = (
    select(CallEventRow)
    .where(CallEventRow.call_id.in_(bindparam("call_ids", expanding=True)))
    .order_by(CallEventRow.id)
)
_MARK_FOLDED = (
    update(CallEventRow.metadata.tables["call_events"])
    .where(CallEventRow.metadata.tables["call_events"].c.id.in_(bindparam("event_ids", expanding=True)))
    .values(folded=True)
)
_WRITTEN = select(CallRow).where(CallRow.id == bindparam("call_id")).execution_options(populate_existing=True)
_UNDER_ANOTHER_RULE = select(CallRow).where(
    CallRow.id.in_(bindparam("call_ids", expanding=True)), CallRow.rule != "", CallRow.rule != bindparam("rule")
)
_LEGS = CallRow.metadata.tables["call_legs"]
_WITHOUT_LEGS = delete(_LEGS).where(_LEGS.c.call_id == bindparam("of_call"))
"""Built once, like all statements of a folding: that takes longer than carrying them out."""

WhenFolded = Callable[[AsyncSession, CallRow, datetime], Awaitable[None]]


async def fold_pending(
    database: Database,
    rule: RingRule,
    *,
    now: datetime,
    when_folded: Sequence[WhenFolded] = (),
    without: Collection[str] = (),
) -> int:
    """Folds the calls of the oldest unfolded events; how many calls were written. Zero: nothing is left.

    `when_folded` run in the same transaction, for every call written, and must be idempotent.
    `without`: calls to leave alone, since they could not be folded a moment ago.
    """
    call_ids = await pending_calls(database, without=without)
    await fold_calls(database, call_ids, rule, now=now, when_folded=when_folded)
    return len(call_ids)


async def pending_calls(database: Database, *, without: Collection[str] = ()) -> list[str]:
    """The calls of the oldest unfolded events, as many as one transaction takes."""
    query = _PENDING.where(CallEventRow.call_id.not_in(without)) if without else _PENDING
    async with database.reader.connect() as connection:
        found = await connection.execute(query)
        return list(dict.fromkeys(found.scalars()))[:CALLS_A_TRANSACTION]


async def fold_calls(
    database: Database,
    call_ids: Sequence[str],
    rule: RingRule,
    *,
    now: datetime,
    when_folded: Sequence[WhenFolded] = (),
) -> None:
    """Folds these calls in one transaction: all of them or none."""
    if not call_ids:
        return
    async with database.write() as session:
        await take_turns(session, "fold calls")
        await _keep_old_judgements(session, call_ids, rule, now=now)
        for call_id, rows in (await _events_of(session, call_ids)).items():
            call = await write_call(session, call_id, rows, rule)
            for follow in when_folded:
                await follow(session, call, now)


async def fold_all_anew(database: Database, rule: RingRule, *, now: datetime) -> int:
    """Every call's row from its events; how many. Nothing follows from it: all of it has happened long ago."""
    calls, last = 0, ""
    while True:
        query = select(CallRow.id).where(CallRow.id > last).order_by(CallRow.id).limit(CALLS_A_TRANSACTION)
        async with database.read() as session:
            call_ids = (await session.scalars(query)).all()
        if not call_ids:
            return calls
        told = await _with_events(database, call_ids)
        await fold_calls(database, told, rule, now=now)
        calls, last = calls + len(told), call_ids[-1]


async def _with_events(database: Database, call_ids: Sequence[str]) -> list[str]:
    """Those of which events are kept; the others' rows are all that is known of them."""
    query = select(CallEventRow.call_id).where(CallEventRow.call_id.in_(call_ids)).distinct()
    async with database.read() as session:
        return sorted(await session.scalars(query))


async def _events_of(session: AsyncSession, call_ids: Sequence[str]) -> dict[str, list[CallEventRow]]:
    found = await session.execute(_EVENTS_OF, {"call_ids": call_ids})
    by_call: dict[str, list[CallEventRow]] = {call_id: [] for call_id in call_ids}
    for row in found.scalars():
        by_call[row.call_id].append(row)
    return by_call


async def write_call(session: AsyncSession, call_id: str, rows: Sequence[CallEventRow], rule: RingRule) -> CallRow:
    """Writes the call, its legs and its recordings as its events tell them, and marks the events as folded."""
    state = fold((event_of(row) for row in rows), rule)
    values = _call_values(state, rows, rule)
    await session.execute(_upsert_call(_dialect(session), tuple(values)), values)
    await _write_legs(session, state)
    await _write_recordings(session, state.recordings, state, first_heard=_first_heard(rows))
    await session.execute(_MARK_FOLDED, {"event_ids": [row.id for row in rows if not row.folded]})
    return (await session.execute(_WRITTEN, {"call_id": call_id})).scalar_one()


async def _keep_old_judgements(
    session: AsyncSession, call_ids: Sequence[str], rule: RingRule, *, now: datetime
) -> None:
    """Calls that ended under another rule, and of which something more was heard now."""
    others = await session.scalars(_UNDER_ANOTHER_RULE, {"call_ids": call_ids, "rule": rule.version})
    for call in others.all():
        legs = (await session.scalars(select(CallLegRow).where(CallLegRow.call_id == call.id))).all()
        await keep_judgement(session, call, legs, rule, now=now)
        await session.flush()
        for leg in legs:  # written anew in a moment, past the session
            session.expunge(leg)


def _dialect(session: AsyncSession) -> str:
    return str(session.get_bind().dialect.name)


def _insert(session: AsyncSession) -> Any:
    return sqlite_insert if _dialect(session) == "sqlite" else postgres_insert


@functools.cache
def _upsert_call(dialect: str, names: tuple[str, ...]) -> Any:
    """Built once: a statement of so many columns takes longer to build than to carry out."""
    insert, table = sqlite_insert if dialect == "sqlite" else postgres_insert, CallRow.metadata.tables["calls"]
    statement = insert(table)
    updated = {name: statement.excluded[name] for name in names if name != "id"}
    newer = table.c.event_count <= statement.excluded.event_count
    return statement.on_conflict_do_update(index_elements=["id"], set_=updated, where=newer)


def _call_values(state: CallState, rows: Iterable[CallEventRow], rule: RingRule) -> dict[str, Any]:
    received = [row.received_at for row in rows]
    purpose = state.purpose
    return {
        "id": state.call_id,
        "provider": state.provider,
        "direction": state.direction.value,
        "from_number": state.from_number,
        "to_number": state.to_number,
        "reminder_id": _reminder_of(purpose),
        "purpose": purpose,
        "started_at": state.started.earliest,
        "answered_at": _earliest(state.answered),
        "ended_at": _earliest(state.ended),
        "last_event_at": max(received),
        "disposition": state.disposition.value,
        "outbound_outcome": state.outbound_outcome.value if state.outbound_outcome else None,
        "answered_by": state.answered_by,
        **_span("ring", state.ring),
        **_rings(state.rings),
        "verdict": state.verdict.value if state.verdict else None,
        "rule": rule.version,
        **_span("answer_speed", state.answer_speed),
        **_span("wait", state.wait),
        **_span("talk", state.talk),
        **_span("hold", state.hold),
        **_span("wrap_up", state.wrap_up),
        "transferred": state.transferred,
        "keys": [list(key) for key in state.keys],
        "closed_unknown": state.closed_unknown,
        "hung_up_by": state.hung_up_by,
        "event_count": len(received),
    }


def _reminder_of(purpose: str | None) -> int | None:
    """Events stored before calls had other purposes carry the bare id."""
    number = (purpose or "").removeprefix(REMINDER)
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _earliest(moment: Moment | None) -> datetime | None:
    return moment.earliest if moment else None


def _span(name: str, span: Span | None) -> dict[str, int | None]:
    return {f"{name}_low_ms": span.low_ms if span else None, f"{name}_high_ms": span.high_ms if span else None}


def _rings(rings: tuple[int, int] | None) -> dict[str, int | None]:
    low, high = rings or (None, None)
    return {"rings_low": low, "rings_high": high}


async def _write_legs(session: AsyncSession, state: CallState) -> None:
    await session.execute(_WITHOUT_LEGS, {"of_call": state.call_id})
    if state.legs:
        await session.execute(_insert(session)(CallLegRow), [_leg_values(state.call_id, leg) for leg in state.legs])


def _leg_values(call_id: str, leg: LegState) -> dict[str, Any]:
    return {
        "call_id": call_id,
        "leg_id": leg.leg_id,
        "agent": leg.agent,
        "number": leg.number,
        "outcome": leg.outcome.value,
        "initiated_at": _earliest(leg.initiated),
        "ringing_at": _earliest(leg.ringing),
        "answered_at": _earliest(leg.answered),
        "ended_at": _earliest(leg.ended),
        **_span("ring", leg.ring),
        **_rings(leg.rings),
        "verdict": leg.verdict.value if leg.verdict else None,
    }


def _first_heard(rows: Iterable[CallEventRow]) -> dict[str, datetime]:
    """When each recording was announced to us, by recording id."""
    heard: dict[str, datetime] = {}
    for row in rows:
        recording = row.data.get("recording_id")
        if recording is not None:
            heard[str(recording)] = min(row.received_at, heard.get(str(recording), row.received_at))
    return heard


async def _write_recordings(
    session: AsyncSession, notices: Sequence[RecordingNotice], state: CallState, *, first_heard: dict[str, datetime]
) -> None:
    """A recording's row is made once; the job that transcribes it owns it from then on.

    Only what the provider called failed, and then ready after all, is set to waiting again.
    """
    rows: list[dict[str, Any]] = [
        {
            "id": notice.recording_id,
            "call_id": state.call_id,
            "provider": state.provider,
            "url": notice.url,
            "content": notice.content,
            "channels": notice.channels,
            "stated_seconds": notice.seconds,
            "ready_at": first_heard[notice.recording_id],
            "state": (RecordingState.FAILED if notice.failed else RecordingState.PENDING).value,
            "attempts": 0,
            "error": FAILED_AT_THE_PROVIDER if notice.failed else None,
            "warnings": [],
        }
        for notice in notices
    ]
    if not rows:
        return
    statement = _insert(session)(RecordingRow)
    renewed = {name: statement.excluded[name] for name in ("url", "channels", "stated_seconds", "state", "error")}
    failed_there = and_(
        RecordingRow.error == FAILED_AT_THE_PROVIDER, statement.excluded.state == RecordingState.PENDING.value
    )
    await session.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_=renewed, where=failed_there), rows
    )
