"""Wakes whoever waits for something that this process has just written, so that a page need not wait for the next look.

Only a hint: what another process wrote is found by looking anyway.
"""

import asyncio

LOOKING_SHARE = 19.0
LONGEST_REST_SECONDS = 1.0


def rest_after(took_seconds: float) -> float:
    """How long whoever looks at the database at each piece of news rests, in seconds.

    Looking takes at most a twentieth of the time, so that a storm of events does not slow itself down.
    """
    return min(LOOKING_SHARE * took_seconds, LONGEST_REST_SECONDS)


class News:
    """Tell it, and everybody who waits goes on; a piece of news that came while one was busy is not missed."""

    def __init__(self) -> None:
        self._number = 1
        self._next = asyncio.Event()

    def tell(self) -> None:
        self._number += 1
        self._next.set()
        self._next = asyncio.Event()

    async def after(self, seen: int, *, seconds: float | None = None) -> int:
        """Waits until there is news after `seen` (0: there is), or `seconds` have passed; what to wait for next."""
        if seen == self._number:
            waiting = asyncio.ensure_future(self._next.wait())
            try:
                await asyncio.wait({waiting}, timeout=seconds)
            finally:
                waiting.cancel()
        return self._number
