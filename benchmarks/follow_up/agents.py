"""What agents do with a ticket between its first call and its end, drawn from the ticket's number."""

from datetime import datetime, timedelta
from random import Random

from sqlalchemy import select

from benchmarks.follow_up.calling_in import AGENTS
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.domain.ticket_life import FINISHED, TicketStatus, TransitionRefused
from callcenter.domain.tickets import Promise, PromiseKind
from callcenter.services import tickets
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.merge_tickets import MergeRefused, merge_tickets, undo_merge
from callcenter.services.tickets import Change, StaleTicket

DEPARTMENTS = ("工程部", "保洁部", "秩序部")


class Agents:
    """Their acts run through the services, on the version of the ticket that they see at that moment."""

    def __init__(self, database: Database, rules: FollowUpRules, *, seed: int) -> None:
        self._database = database
        self._rules = rules
        self._seed = seed
        self.refused = 0
        self.acts = 0

    def plan(self, number: str) -> list[tuple[timedelta, str]]:
        """When which act: most tickets run to their end within three days, some are left lying."""
        draw = Random(f"{self._seed}:agents:{number}")
        at, planned = timedelta(minutes=draw.uniform(3, 50)), []
        for share, act, hours in (
            (0.6, "confirm", 1.0),
            (0.05, "correct the number", 1.0),
            (0.15, "assign", 1.0),
            (0.15, "merge", 0.5),
            (0.05, "undo the merging", 1.0),
            (0.08, "pass on", 2.0),
            (0.1, "promise", 4.0),
            (0.7, "begin", 8.0),
            (0.1, "speak", 8.0),
            (0.15, "wait", 20.0),
            (0.85, "solve", 40.0),
            (0.8, "verify", 24.0),
            (0.9, "close", 4.0),
            (0.04, "reopen", 24.0),
            (0.04, "solve", 24.0),
            (0.04, "close", 4.0),
        ):
            if draw.random() < share:
                planned.append((at, act))
            at += timedelta(hours=draw.uniform(0, hours))
        return planned

    async def do(self, number: str, act: str, *, now: datetime) -> None:
        ticket = await self._look(number)
        draw = Random(f"{self._seed}:{number}:{act}")
        change = Change(number=number, version=ticket.version, actor=ticket.owner or draw.choice(AGENTS), now=now)
        self.acts += 1
        try:
            await self._carry_out(change, ticket, act, draw)
        except (StaleTicket, TransitionRefused, MergeRefused):
            self.refused += 1

    async def _look(self, number: str) -> TicketRow:
        async with self._database.read() as session:
            return (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one()

    async def _merge(self, change: Change, ticket: TicketRow) -> None:
        """With the newest other open ticket from the same number."""
        same = (
            select(TicketRow.number)
            .where(TicketRow.caller_number == ticket.caller_number, TicketRow.number != ticket.number)
            .order_by(TicketRow.id.desc())
        )
        async with self._database.read() as session:
            into = await session.scalar(same.limit(1))
        if into is not None:
            await merge_tickets(self._database, change, into=into, rules=self._rules)

    async def _carry_out(self, change: Change, ticket: TicketRow, act: str, draw: Random) -> None:
        database, rules = self._database, self._rules
        match act:
            case "confirm":
                await tickets.confirm_all(database, change, rules=rules)
            case "correct the number":
                value = (ticket.caller_number or "+8613900000007").removeprefix("+86")
                await tickets.correct_field(database, change, field="phone", value=value, rules=rules)
            case "assign":
                await tickets.assign(database, change, to=draw.choice(AGENTS))
            case "merge":
                await self._merge(change, ticket)
            case "undo the merging":
                await undo_merge(database, change, rules=rules)
            case "pass on":
                await tickets.pass_on(database, change, department=draw.choice(DEPARTMENTS), rules=rules)
            case "promise":
                if TicketStatus(ticket.status) not in FINISHED:
                    due = change.now + timedelta(minutes=draw.choice((20, 90, 300, 1500)))
                    promised = Promise(kind=PromiseKind.CALL_BACK, text="再给您回电", due=due)
                    await tickets.promise(database, change, promised=promised, rules=rules)
            case "speak":
                await tickets.record_reply(database, change, note="已电话说明")
            case _:
                to = {
                    "begin": TicketStatus.IN_PROGRESS,
                    "wait": TicketStatus.WAITING,
                    "solve": TicketStatus.SOLVED,
                    "verify": TicketStatus.VERIFIED,
                    "close": TicketStatus.CLOSED,
                    "reopen": TicketStatus.REOPENED,
                }[act]
                await tickets.change_status(database, change, to=to, rules=rules)
