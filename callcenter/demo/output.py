"""What the demonstration prints: a line a call, the final table, the differences, or one JSON document."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from callcenter.demo.call_script import ZONE, CallScript
from callcenter.demo.director import Performance
from callcenter.demo.environment import DemoUser
from callcenter.reports.call_results import CallBackResult, CallResult, OnCallResult

COLUMNS = ("call", "rings", "within three", "ticket", "type", "category", "room", "call-back")


def progress_line(script: CallScript, result: CallResult | None) -> str:
    english = f" ({script.table.title_en})" if script.table.title_en else ""
    start = f"{script.dials_at:%H:%M:%S}  {script.title}{english}"
    if result is None:
        return f"{start}: [bold red]not recorded[/]"
    parts = [result.disposition.replace("_", " ")]
    if result.rings:
        parts.append(f"{rings(result)} ring(s)")
    if result.verdict:
        parts.append(_verdict(result.verdict))
    if result.answered_by:
        parts.append(f"by {result.answered_by}")
    if result.ticket:
        joined = " (joined)" if result.ticket.relation == "repeat" else ""
        parts.append(f"[bold]{result.ticket.number}[/]{joined}")
    if result.on_call:
        parts.append(_on_call(result.on_call))
    return f"{escape(start)}: {', '.join(parts)}"


def _on_call(alarm: OnCallResult) -> str:
    rang = f"on call rung {len(alarm.tries)} time(s)"
    if alarm.acknowledged_by is None or alarm.acknowledged_at is None:
        return f"[red]{rang}, {alarm.state}[/]"
    at = alarm.acknowledged_at.astimezone(ZONE)
    return f"{rang}, [green]{escape(alarm.acknowledged_by)} pressed 1 at {at:%H:%M:%S}[/]"


def rings(result: CallResult) -> str:
    if result.rings is None:
        return "-"
    low, high = result.rings
    return str(low) if low == high else f"{low}-{high}"


def _verdict(verdict: str | None) -> str:
    colour = {"within": "green", "late": "red", "undecided": "yellow"}.get(verdict or "")
    return f"[{colour}]{verdict}[/]" if colour else "-"


def results_table(scripts: Sequence[CallScript], performance: Performance) -> Table:
    table = Table(title="Calls and what came of them")
    for name in COLUMNS:
        table.add_column(name, no_wrap=name in ("rings", "ticket"), overflow="fold")
    for script in scripts:
        result = performance.results.get(script.name)
        table.add_row(escape(script.title), *(_cells(result) if result else ["-"] * (len(COLUMNS) - 1)))
    return table


def _cells(result: CallResult) -> list[str]:
    ticket = result.ticket
    verdict = _verdict(result.verdict) if result.verdict else f"[dim]{result.disposition.replace('_', ' ')}[/]"
    if ticket is None:
        return [rings(result), verdict, "-", "-", "-", "-", _call_backs(result)]
    number = f"{ticket.number} +" if ticket.relation == "repeat" else ticket.number
    kind = "[yellow]listen![/]" if ticket.must_listen and not ticket.type else ticket.type or "-"
    return [rings(result), verdict, number, kind, ticket.category or "-", ticket.place or "-", _call_backs(result)]


def _call_backs(result: CallResult) -> str:
    return "\n".join(_call_back(one) for one in result.call_backs) or "-"


def _call_back(one: CallBackResult) -> str:
    tries = [f"{made.at.astimezone(ZONE):%H:%M} {(made.outcome or 'ringing').replace('_', ' ')}" for made in one.tries]
    if one.state == "waiting" or not tries:
        tries.append(f"[dim]{one.state.replace('_', ' ')}, due {one.due_at.astimezone(ZONE):%m-%d %H:%M}[/]")
    return "\n".join(tries)


def print_end(
    console: Console, scripts: Sequence[CallScript], performance: Performance, differences: Sequence[str]
) -> None:
    console.print(results_table(scripts, performance))
    journal = performance.journal
    if journal.requests:
        console.print(
            f"The far end sent {journal.requests} requests, {journal.repeated} of them twice and {journal.reordered}"
            f" in the wrong order on purpose, and was asked for {len(journal.placed)} call(s)."
        )
    checked = sum(script.expect is not None for script in scripts)
    if differences:
        console.print(f"[bold red]{len(differences)} difference(s) from what was expected:[/]")
        for line in differences:
            console.print(f"  [red]✗[/] {escape(line)}", highlight=False)
    elif checked:
        console.print(f"[bold green]✓ {checked} call(s) came out as expected.[/]")


def print_users(console: Console, address: str, users: Sequence[DemoUser]) -> None:
    console.print(f"Console: [bold]{address}[/]", highlight=False)
    for user in users:
        console.print(f"  {user.login:<12} {user.password:<14} {user.role.value} ({user.name})", highlight=False)


def as_document(scripts: Sequence[CallScript], performance: Performance, differences: Sequence[str]) -> str:
    """Calls, tickets and differences as one JSON document."""
    calls = [_call(script, performance.results.get(script.name)) for script in scripts]
    tickets = {
        result.ticket.number: asdict(result.ticket)
        for result in performance.results.values()
        if result.ticket and result.ticket.relation == "first"
    }
    document = {
        "calls": calls,
        "tickets": list(tickets.values()),
        "far_end": asdict(performance.journal),
        "differences": list(differences),
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=_plain)


def _call(script: CallScript, result: CallResult | None) -> dict[str, Any]:
    scripted = {"folder": script.name, "title": script.title, "dialled_at": script.dials_at}
    return scripted | (asdict(result) if result else {})


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(ZONE).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in the document")
