"""The simulator as seen from the demonstration's director: play this call, move the time, what happened?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from callcenter.demo.clock import SharedClock

PLAY_TIMEOUT = aiohttp.ClientTimeout(total=300)


class StageFailed(Exception):
    """The simulator itself failed; its log says why."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """A scripted call that was played: the provider's id for it and what it left."""

    name: str
    call_id: str
    status: str
    recordings: int
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A call that the server had placed. `heard`: the texts spoken to the resident."""

    to: str
    status: str
    at: datetime
    heard: tuple[str, ...]
    is_over: bool


@dataclass(frozen=True, kw_only=True)
class FarEndJournal:
    """What the far end noticed; `problems` is what an operator would find in the provider's error log."""

    problems: tuple[str, ...]
    placed: tuple[Placed, ...]
    requests: int
    repeated: int
    reordered: int
    lost: int


class Stage:
    def __init__(
        self, session: aiohttp.ClientSession, clock: SharedClock, *, port: int, account_sid: str, auth_token: str
    ) -> None:
        self._session = session
        self._clock = clock
        self._base = f"http://127.0.0.1:{port}/rehearsal"
        self._headers = {"Authorization": aiohttp.encode_basic_auth(account_sid, auth_token)}

    def now(self) -> datetime:
        return self._clock.now()

    async def play(self, name: str) -> Played:
        found = await self._ask("POST", f"calls/{name}")
        return Played(
            name=name,
            call_id=f"twilio:{found['sid']}",
            status=found["status"],
            recordings=found["recordings"],
            ended_at=datetime.fromisoformat(found["ended_at"]),
        )

    async def advance_to(self, at: datetime) -> None:
        await self._ask("POST", "clock", {"to": at.isoformat()})

    async def journal(self) -> FarEndJournal:
        found = await self._ask("GET", "journal")
        return FarEndJournal(
            problems=tuple(found["problems"]),
            placed=tuple(_placed(one) for one in found["placed"]),
            requests=found["requests"],
            repeated=found["repeated"],
            reordered=found["reordered"],
            lost=found["lost"],
        )

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            async with self._session.request(
                method, f"{self._base}/{path}", json=body, headers=self._headers, timeout=PLAY_TIMEOUT
            ) as response:
                if response.status != 200:
                    raise StageFailed(f"the simulator answered {response.status} to {method} {path}; see its log")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StageFailed(f"the simulator does not answer {method} {path}: {error!r}") from error


def _placed(found: dict[str, Any]) -> Placed:
    return Placed(
        to=found["to"],
        status=found["status"],
        at=datetime.fromisoformat(found["at"]),
        heard=tuple(found["heard"]),
        is_over=found["is_over"],
    )
