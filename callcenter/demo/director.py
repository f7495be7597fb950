"""Directs a demonstration: plays the calls in their order, lets the time pass, waits until the product has kept up.

The virtual time never runs ahead of the product's work: what takes the product seconds must not look as if it had
taken hours, and tickets come in the order of the calls on every run. Call-backs get a stop of their own at the
moment they fall due.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.demo.call_script import CallScript, at_local_time
from callcenter.demo.stage import FarEndJournal, Played, Stage
from callcenter.reports.call_results import CallResult

STEP = timedelta(minutes=2)
AFTERWARDS = timedelta(minutes=45)
"""Without expectations: how long after the last call the call-backs are waited for."""
RESERVE = timedelta(seconds=5)
"""Left before a call, as the time runs on while we wait: it is then dialled at exactly its time on every run."""
STEP_SECONDS = 0.3
"""Real time at each stop of the clock: the server's timer ticks at least once."""
POLL_SECONDS = 0.1
KEEP_UP_SECONDS = 90.0
DONE = frozenset({"transcribed", "failed"})
BUSY_REMINDERS = frozenset({"claimed", "dialling"})

Results = Callable[[], Awaitable[Sequence[CallResult]]]
Show = Callable[[CallScript, CallResult | None], None]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """What was played and what came of it, by the name of the call."""

    played: Mapping[str, Played]
    results: Mapping[str, CallResult]
    journal: FarEndJournal
    complaints: tuple[str, ...]


class Director:
    """`show` is called once a call, in order, when the product has finished with it."""

    def __init__(self, stage: Stage, scripts: Sequence[CallScript], *, results: Results, show: Show) -> None:
        self._stage = stage
        self._scripts = {script.name: script for script in scripts}
        self._results = results
        self._show = show
        self._played: dict[str, Played] = {}
        self._shown: set[str] = set()
        self._complaints: list[str] = []

    async def perform(self) -> Performance:
        for script in self._scripts.values():
            await self._advance(script.dials_at - RESERVE)
            self._played[script.name] = await self._stage.play(script.name)
            await self._keep_up()
        await self._call_backs()
        return Performance(
            played=self._played,
            results=await self._by_name(),
            journal=await self._stage.journal(),
            complaints=tuple(self._complaints),
        )

    async def _by_name(self) -> dict[str, CallResult]:
        by_id = {result.id: result for result in await self._results()}
        return {name: by_id[played.call_id] for name, played in self._played.items() if played.call_id in by_id}

    async def _advance(self, to: datetime, *, until: Callable[[Mapping[str, CallResult]], bool] | None = None) -> None:
        """Lets the time pass up to `to`, or until something has come about."""
        while (now := self._stage.now()) < to:
            results = await self._keep_up()
            if until is not None and until(results):
                return
            await self._stage.advance_to(min([to, now + STEP, *_due(results, after=now)]))
            await asyncio.sleep(STEP_SECONDS)

    async def _call_backs(self) -> None:
        wanted = [script for script in self._scripts.values() if script.call_back is not None]
        last = [at_local_time(script.call_back.by) for script in wanted if script.call_back is not None]
        now = self._stage.now()
        horizon = max(last) if last else now + AFTERWARDS
        await self._advance(horizon, until=lambda results: _all_made(results, wanted, horizon))
        await self._keep_up()

    async def _keep_up(self) -> Mapping[str, CallResult]:
        """Waits until the product has finished with every call that was played and with its own calls under way."""
        deadline = asyncio.get_running_loop().time() + KEEP_UP_SECONDS
        while True:
            results = await self._by_name()
            self._show_settled(results)
            behind = [name for name in self._played if name not in self._shown]
            dialling = [name for name, result in results.items() if _is_dialling(result)]
            if not behind and not dialling:
                return results
            if asyncio.get_running_loop().time() > deadline:
                self._give_up(behind, dialling, results)
                return results
            await asyncio.sleep(POLL_SECONDS)

    def _show_settled(self, results: Mapping[str, CallResult]) -> None:
        for name, played in self._played.items():
            if name in self._shown:
                continue
            if not is_settled(played, results.get(name), loses_final=self._scripts[name].table.caller.lose_final):
                return
            self._shown.add(name)
            self._show(self._scripts[name], results.get(name))

    def _give_up(self, behind: list[str], dialling: list[str], results: Mapping[str, CallResult]) -> None:
        for name in behind:
            self._complaints.append(f"{name}: the product had not finished with it after {KEEP_UP_SECONDS:.0f} s")
            self._shown.add(name)
            self._show(self._scripts[name], results.get(name))
        for name in dialling:
            self._complaints.append(f"{name}: its call-back is still under way after {KEEP_UP_SECONDS:.0f} s")


def is_settled(played: Played, result: CallResult | None, *, loses_final: bool) -> bool:
    if result is None:
        return False
    if result.ended_at is None and not loses_final:
        return False
    if len(result.recordings) < played.recordings or any(state not in DONE for state in result.recordings):
        return False
    return (result.ticket is not None or not played.recordings) and not _still_ringing(result)


def _still_ringing(result: CallResult) -> bool:
    """An emergency whose on-call people are being phoned, or are about to be."""
    ticket = result.ticket
    if ticket is None or ticket.relation != "first" or ticket.urgency != "emergency":
        return False
    return result.on_call is None or result.on_call.state == "ringing"


def _is_dialling(result: CallResult) -> bool:
    return any(call_back.state in BUSY_REMINDERS for call_back in result.call_backs)


def _due(results: Mapping[str, CallResult], *, after: datetime) -> list[datetime]:
    """When waiting call-backs fall due; a second later they surely have."""
    return [
        call_back.due_at + timedelta(seconds=1)
        for result in results.values()
        for call_back in result.call_backs
        if call_back.state == "waiting" and call_back.due_at + timedelta(seconds=1) > after
    ]


def _all_made(results: Mapping[str, CallResult], wanted: Sequence[CallScript], horizon: datetime) -> bool:
    waiting = any(
        call_back.state == "waiting" and call_back.due_at <= horizon
        for result in results.values()
        for call_back in result.call_backs
    )
    made = all(_is_made(results.get(script.name), script) for script in wanted)
    return made and not waiting


def _is_made(result: CallResult | None, script: CallScript) -> bool:
    kind = script.call_back.kind if script.call_back else None
    if result is None:
        return False
    return any(one.kind == kind and one.last is not None and one.last.outcome for one in result.call_backs)
