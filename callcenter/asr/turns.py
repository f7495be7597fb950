"""Who is next at the recogniser processes: by rank, then in the order of asking."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

BACKGROUND = 4
"""From this rank on work is done beside the rest: it never holds the last process."""


class Turns:
    """At most `places` at a time. Somebody of a low rank number goes before everybody who still waits."""

    def __init__(self, *, places: int, background_places: int) -> None:
        self._free = places
        self._free_for_background = background_places
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[None]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (rank, next(self._numbers), waiting))
        self._admit()
        try:
            await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():  # admitted in the very moment
                self._leave(rank)
            raise
        try:
            yield
        finally:
            self._leave(rank)

    def _admit(self) -> None:
        """Background work stands behind all other: where it may not go, nobody behind it may."""
        while self._waiting and self._free:
            rank, _, waiting = self._waiting[0]
            if rank >= BACKGROUND and not self._free_for_background and not waiting.done():
                return
            heapq.heappop(self._waiting)
            if not waiting.done():
                self._free -= 1
                self._free_for_background -= rank >= BACKGROUND
                waiting.set_result(None)

    def _leave(self, rank: int) -> None:
        self._free += 1
        self._free_for_background += rank >= BACKGROUND
        self._admit()
