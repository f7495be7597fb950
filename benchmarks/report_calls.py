"""Calls of a big company's hotline as rows, with the arrivals of real days: hours, weekdays, seasons and busy days.

Written straight into the tables, as folding and ticketing would have left them. Deterministic.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from callcenter.db.calls import CallLegRow, CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow, LanguageFindingRow
from callcenter.db.tickets import TicketCallRow, TicketDeadlineRow, TicketRow
from callcenter.domain.rings import RingRule

ZONE = ZoneInfo("Asia/Shanghai")
RULE = RingRule()
CALLS_A_DAY = 274
"""A million in ten years."""

AGENTS = [f"agent{number:02d}" for number in range(20)]
ESTATES = ["翠湖花园", "锦绣里", "星河湾", "望江府", "梧桐苑", None]
NUMBERS = ["+8657100000001", "+8657100000001", "+8657100000002"]
BY_HOUR = (1, 1, 1, 1, 1, 2, 5, 9, 14, 16, 14, 12, 8, 9, 11, 11, 11, 12, 14, 15, 12, 8, 4, 2)
OUTCOMES = (("answered", 0.88), ("voice_mail", 0.04), ("rang_out", 0.01), ("refused", 0.005), ("abandoned", 0.04))
REQUESTS = (("repair", 0.68), ("complaint", 0.12), ("enquiry", 0.2))
CATEGORIES = ("plumbing", "power", "lift", "access", "cleaning", "noise", "parking", "fees")
BUILDINGS_OF_AN_ESTATE = 12
CHECKS = (
    "greeting",
    "company",
    "surname",
    "help",
    "farewell",
    "name_used",
    "repeated_back",
    "promise",
    "interruption",
    "silence",
    "unknowing",
    "not_ours",
)
SOMETIMES = ("name_used", "promise")
"""Checks that cannot be made of every call."""
FAILED_SHARE = 0.03
CALLS_A_STATEMENT = 2000


@dataclass(kw_only=True)
class Rows:
    calls: list[dict[str, Any]] = field(default_factory=list)
    legs: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    links: list[dict[str, Any]] = field(default_factory=list)
    promises: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)


async def fill(database: Database, calls: int, *, until: datetime) -> int:
    """Writes so many calls that end at `until`; over how many days they lie."""
    days = max(1, round(calls / CALLS_A_DAY))
    source = _calls(calls, days, until=until)
    while True:
        rows = Rows()
        for number, at, dice in source:
            _add(rows, number, at, dice)
            if len(rows.calls) == CALLS_A_STATEMENT:
                break
        if not rows.calls:
            return days
        async with database.write() as session:
            for table, some in (
                (CallRow, rows.calls),
                (CallLegRow, rows.legs),
                (TicketRow, rows.tickets),
                (TicketCallRow, rows.links),
                (TicketDeadlineRow, rows.promises),
                (LanguageCheckRow, rows.checks),
                (LanguageFindingRow, rows.findings),
            ):
                if some:
                    await session.execute(insert(table.__table__), some)  # type: ignore[arg-type]


def _calls(calls: int, days: int, *, until: datetime) -> Iterator[tuple[int, datetime, random.Random]]:
    """(number, begin, dice), day by day; a day has its weekday's, its season's and its own share of the calls."""
    dice = random.Random(1)
    first = (until - timedelta(days=days)).astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    weights = [_weight(first + timedelta(days=day), dice) for day in range(days)]
    scale, done, owed = calls / sum(weights), 0, 0.0
    for day, weight in enumerate(weights):
        owed += weight * scale
        today = calls - done if day == days - 1 else round(owed) - done
        midnight = first + timedelta(days=day)
        for second in sorted(_second(dice) for _ in range(today)):
            yield done, midnight + timedelta(seconds=second), dice
            done += 1


def _weight(day: datetime, dice: random.Random) -> float:
    season = 1 + 0.25 * math.cos((day.timetuple().tm_yday - 15) / 365 * 2 * math.pi)
    burst = 3.0 if dice.random() < 0.01 else 1.0
    return season * burst * (0.75 if day.weekday() >= 5 else 1.0) * dice.uniform(0.85, 1.15)


def _second(dice: random.Random) -> float:
    return round(dice.choices(range(24), BY_HOUR)[0] * 3600 + dice.random() * 3599, 3)


def _add(rows: Rows, number: int, at: datetime, dice: random.Random) -> None:
    outcome = dice.choices([name for name, _ in OUTCOMES] + ["short_abandoned"], [*(p for _, p in OUTCOMES), 0.025])[0]
    ring = round(dice.lognormvariate(8.7, 0.55)) if outcome == "answered" else dice.randrange(1000, 40_000)
    coarse = 1000 if dice.random() < 0.3 else 0
    low, high = (ring // 1000 * 1000, ring // 1000 * 1000 + coarse) if coarse else (ring, ring)
    queue, talk, agent = dice.randrange(200, 2000), round(dice.lognormvariate(11.8, 0.6)), dice.choice(AGENTS)
    answered = outcome == "answered"
    verdict = None
    if answered:
        verdict = "within" if high <= RULE.limit_ms else "late" if low >= RULE.limit_ms else "undecided"
    ringing = {"ring_low_ms": low, "ring_high_ms": high, "rings_low": low // 5000 + 1, "rings_high": high // 5000 + 1}
    call_id = f"CA{number:08d}"
    rows.calls.append(
        {
            "id": call_id,
            "provider": "twilio",
            "direction": "inbound",
            "from_number": f"+86138{dice.randrange(10**8):08d}",
            "to_number": NUMBERS[number % len(NUMBERS)],
            "started_at": at,
            "answered_at": at + timedelta(milliseconds=ring + queue) if answered else None,
            "ended_at": at + timedelta(milliseconds=ring + queue + (talk if answered else 0)),
            "last_event_at": at + timedelta(milliseconds=ring + queue + talk),
            "disposition": outcome,
            "answered_by": agent if answered else None,
            "verdict": verdict,
            "rule": RULE.version,
            "answer_speed_low_ms": low + queue if answered else None,
            "answer_speed_high_ms": high + queue if answered else None,
            "wait_low_ms": low + queue,
            "wait_high_ms": high + queue,
            "talk_low_ms": talk if answered else None,
            "talk_high_ms": talk + coarse if answered else None,
            "keys": [],
            "closed_unknown": False,
            "event_count": 6,
        }
        | ringing
    )
    legs = 1 + (dice.random() < 0.15)
    for leg in range(legs):
        last = leg == legs - 1
        rows.legs.append(
            {
                "call_id": call_id,
                "leg_id": f"LEG{number:08d}-{leg}",
                "agent": agent if last else dice.choice(AGENTS),
                "outcome": ("answered" if answered else "cancelled") if last else dice.choice(("refused", "rang_out")),
                "initiated_at": at + timedelta(milliseconds=queue),
                "ringing_at": at + timedelta(milliseconds=queue + 300),
                "verdict": verdict if last else None,
            }
            | ringing
        )
    if answered:
        _add_language(rows, call_id, at, agent, dice)
    if answered or outcome == "voice_mail":
        _add_ticket(rows, number, call_id, at, dice)


def _add_ticket(rows: Rows, number: int, call_id: str, at: datetime, dice: random.Random) -> None:
    chance = dice.random()
    if chance < 0.15 and rows.tickets:
        known = dice.choice(rows.tickets[-200:])["id"]
        rows.links.append({"ticket_id": known, "call_id": call_id, "relation": "repeat", "heard_live": False})
        return
    if chance > 0.85:
        return
    ticket_id = number + 1
    points = dice.choice((2, 3, 4, 5, 5)) if dice.random() < 0.3 else None
    rows.tickets.append(
        {
            "id": ticket_id,
            "number": f"GD-{number:08d}",
            "first_call_id": call_id,
            "status": "closed",
            "request_type": dice.choices([name for name, _ in REQUESTS], [share for _, share in REQUESTS])[0],
            "category": dice.choice(CATEGORIES),
            "estate": dice.choice(ESTATES),
            "building": str(dice.randrange(1, BUILDINGS_OF_AN_ESTATE + 1)),
            "satisfaction": points,
            "satisfaction_at": at + timedelta(days=3) if points else None,
            "no_action_reason": "praise" if dice.random() < 0.05 else None,
            "call_count": 1,
            "must_listen": False,
            "needs_review": False,
            "created_at": at,
            "updated_at": at,
            "version": 1,
        }
    )
    rows.links.append({"ticket_id": ticket_id, "call_id": call_id, "relation": "first", "heard_live": False})
    if dice.random() < 0.3:
        due = at + timedelta(minutes=dice.choice((30, 60, 240)))
        rows.promises.append(
            {
                "ticket_id": ticket_id,
                "kind": "promise",
                "basis": "call_back",
                "due_at": due,
                "met_at": due + timedelta(minutes=dice.randrange(-25, 6)),
                "counted": "clock",
                "pauses": [],
                "evidence": [],
            }
        )


def _add_language(rows: Rows, call_id: str, at: datetime, agent: str, dice: random.Random) -> None:
    """As if every answered call had been recorded in two channels and checked."""
    judged = {check: dice.random() >= FAILED_SHARE for check in CHECKS if check not in SOMETIMES or dice.random() < 0.5}
    rows.checks.append(
        {
            "call_id": call_id,
            "agent": agent,
            "heard_at": at,
            "checked_at": at,
            "rules_version": "benchmark",
            "judged": judged,
            "resident_ms": 60_000,
            "agent_ms": 30_000,
            "letters": 120,
            "interruptions": 0,
            "silences": 0,
            "longest_silence_ms": 0,
        }
    )
    for check, passed in judged.items():
        if not passed:
            rows.findings.append(
                {
                    "call_id": call_id,
                    "kind": check,
                    "words": "我不知道",
                    "start_ms": 1000,
                    "end_ms": 2000,
                    "rules_version": "benchmark",
                    "found_at": at,
                    "upheld": False if dice.random() < 0.02 else None,
                }
            )
