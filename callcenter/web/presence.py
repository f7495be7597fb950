"""Who has a ticket open at this moment, as the streams of their pages tell; gone with the page."""

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web

from callcenter.services.news import News


@dataclass
class Presence:
    """A reader with two tabs counts until both are closed. `after` waits for somebody to come or go, anywhere."""

    _readers: dict[str, Counter[str]] = field(default_factory=dict)
    _news: News = field(default_factory=News)

    def come(self, ticket: str, login: str) -> None:
        self._readers.setdefault(ticket, Counter())[login] += 1
        self._news.tell()

    def go(self, ticket: str, login: str) -> None:
        readers = self._readers.get(ticket, Counter())
        readers[login] -= 1
        self._readers[ticket] = +readers
        if not self._readers[ticket]:
            del self._readers[ticket]
        self._news.tell()

    def others(self, ticket: str, login: str) -> tuple[str, ...]:
        return tuple(sorted(one for one in self._readers.get(ticket, ()) if one != login))

    async def after(self, seen: int) -> int:
        return await self._news.after(seen)


PRESENCE = web.AppKey("callcenter.web.presence", Presence)
