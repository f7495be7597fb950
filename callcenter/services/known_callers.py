"""Whose open ticket a caller has, and of which estate they are: in memory, looked up anew every few seconds.

A caller never waits for the database: a ticket that was given to somebody a moment ago counts for the next call.
"""

import asyncio
from typing import Self

import structlog
from sqlalchemy.exc import SQLAlchemyError

from callcenter.db.engine import Database
from callcenter.db.known_callers import estates_of_residents, owned_open_tickets
from callcenter.domain.phone_numbers import dialable
from callcenter.ports import KnownCaller
from callcenter.services.schema import in_one_line

log = structlog.get_logger()

TICKETS_SECONDS = 5.0
REGISTER_EVERY = 60
"""The register changes by an import: it is read again at every so many looks."""


class KnownCallersInMemory:
    """The port KnownCallers. An async context manager: while it is open it knows.

    `agents`: whose tickets count; `with_estates`: agents differ by estate, so that the register is read too.
    """

    def __init__(self, database: Database, *, agents: frozenset[str], with_estates: bool) -> None:
        self._database = database
        self._agents = agents
        self._with_estates = with_estates
        self._owners: dict[str, str] = {}
        self._estates: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, from_number: str | None) -> KnownCaller | None:
        number = dialable(from_number)
        if number is None:
            return None
        owner, estate = self._owners.get(number), self._estates.get(number)
        return KnownCaller(owner=owner, estate=estate) if owner or estate else None

    async def __aenter__(self) -> Self:
        if self._agents or self._with_estates:
            self._task = asyncio.create_task(self._run(), name="known callers")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self, *, at_register: bool = True) -> None:
        """Raises what the database raises."""
        async with self._database.read() as session:
            tickets = await owned_open_tickets(session)
            residents = await estates_of_residents(session) if self._with_estates and at_register else None
        owners: dict[str, str] = {}
        estates: dict[str, str] = {}
        for ticket in tickets:  # the newest last
            for said in (ticket.caller_number, ticket.phone):
                number = dialable(said)
                if number is None:
                    continue
                if ticket.owner in self._agents:
                    owners[number] = ticket.owner
                if ticket.estate:
                    estates[number] = ticket.estate
        self._owners = owners
        if residents is not None:
            self._estates = estates | {phone: estate for phone, estate in residents if phone and estate}

    async def _run(self) -> None:
        told, looks = "", 0
        while True:
            try:
                await self.look(at_register=looks % REGISTER_EVERY == 0)
                told, looks = "", looks + 1
            except (SQLAlchemyError, OSError) as error:
                if told != (told := in_one_line(error)):
                    log.warning("callers' tickets cannot be read", error=told)
            except Exception:
                log.exception("callers' tickets could not be made out; looking again")
            await asyncio.sleep(TICKETS_SECONDS)
