"""Agents say whether they may be rung, and the call flow asks: in memory, looked up anew every second.

A caller never waits for this: what was known a moment ago counts, and where nothing has been known for a while
everybody is rung.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from callcenter.db.agent_phones import conversations_since, open_legs, said_by_agents
from callcenter.db.agents import AgentStateChangeRow, AgentStateRow
from callcenter.db.engine import Database
from callcenter.domain.agent_states import AgentNow, AgentState, Available, agent_now, available, by_agent
from callcenter.ports import Clock
from callcenter.services.end_wrap_up import end_wrap_up
from callcenter.services.news import News, rest_after
from callcenter.services.schema import in_one_line
from callcenter.services.transactions import insert_if_absent

log = structlog.get_logger()

LOOK_SECONDS = 1.0
FORGOTTEN_AFTER_SECONDS = 15.0
"""Without the database for so long, nobody's state is known any more."""


async def say_state(
    database: Database, *, agent: str, state: AgentState, actor: str, now: datetime, reason: str | None = None
) -> bool:
    """Writes down what the agent (or a supervisor for them) said. False where it was so already."""
    async with database.write() as session:
        fresh = {"agent": agent, "state": AgentState.READY.value, "since": now}
        await insert_if_absent(session, AgentStateRow, fresh, "agent")
        row = (await session.scalars(select(AgentStateRow).where(AgentStateRow.agent == agent).with_for_update())).one()
        before, said_at = row.state, row.since
        row.state, row.since = state.value, now
        if before == state.value:
            return False
        if before == AgentState.WRAP_UP.value:
            await end_wrap_up(session, agent=agent, said_at=said_at, now=now)
        session.add(
            AgentStateChangeRow(agent=agent, at=now, state=state.value, before=before, actor=actor, reason=reason)
        )
    return True


class AgentsOnDuty:
    """An async context manager: while it is open it knows what every agent is doing."""

    def __init__(
        self,
        database: Database,
        agents: Sequence[str],
        *,
        clock: Clock,
        wrap_up: timedelta,
        news: News,
        looks_back: timedelta = timedelta(0),
    ) -> None:
        """`looks_back`: conversations that ended so long ago still count for who has been idle longest."""
        self._database = database
        self._agents = tuple(agents)
        self._clock = clock
        self._wrap_up = wrap_up
        self._news = news
        self._looks_back = max(wrap_up, looks_back)
        self._talked: Mapping[str, datetime] = {}
        self._now: dict[str, AgentNow] = {}
        self._known_at: float | None = None
        self._changed = News()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="agents on duty")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def doing(self, agent: str) -> AgentNow | None:
        return self._now.get(agent)

    def available(self) -> Available | None:
        """None where it is not known who is there."""
        if self._known_at is None or asyncio.get_running_loop().time() - self._known_at > FORGOTTEN_AFTER_SECONDS:
            return None
        return available(list(self._now.values()))

    def talked_until(self) -> Mapping[str, datetime]:
        """When the last conversation of each agent was over, as far as it is looked back."""
        return self._talked

    def somebody_is_free(self) -> bool:
        """Also where it is not known: then whoever phones finds out."""
        found = self.available()
        return found is None or bool(found.free)

    async def after(self, seen: int) -> int:
        """Waits until what somebody is doing has changed since `seen` (0: at once); what to wait for next time."""
        return await self._changed.after(seen)

    async def look(self) -> None:
        """Reads what every agent is doing now. Raises what the database raises."""
        now = self._clock.now()
        async with self._database.read() as session:
            said = await said_by_agents(session)
            legs = by_agent(await open_legs(session))
            talked = await conversations_since(session, now - self._looks_back) if self._looks_back else {}
        found = {
            agent: agent_now(
                agent,
                said=said.get(agent),
                legs=legs.get(agent, ()),
                talked_until=talked.get(agent),
                now=now,
                wrap_up=self._wrap_up,
            )
            for agent in self._agents
        }
        self._talked = talked
        self._known_at = asyncio.get_running_loop().time()
        if found != self._now:
            self._now = found
            self._changed.tell()

    async def _run(self) -> None:
        told, seen, loop = "", 0, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self.look()
            except (SQLAlchemyError, OSError) as error:
                if told != (told := in_one_line(error)):
                    log.warning("what agents are doing cannot be read", error=told)
            except Exception:
                log.exception("what agents are doing could not be made out; looking again")
            else:
                told = ""
            await asyncio.sleep(rest_after(loop.time() - began))
            seen = await self._news.after(seen, seconds=LOOK_SECONDS)
