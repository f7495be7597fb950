"""Fetching a recording from whichever provider has it."""

from collections.abc import Mapping
from pathlib import Path

from callcenter.ports import FetchedRecording, RecordingFetcher, RecordingRejected


class RecordingsOfProviders:
    """RecordingFetcher for all providers, each by its name."""

    def __init__(self, fetchers: Mapping[str, RecordingFetcher]) -> None:
        self._fetchers = fetchers

    async def fetch(self, *, provider: str, url: str, channels: int, target: Path) -> FetchedRecording:
        """Raises RecordingRejected, RecordingUnavailable."""
        fetcher = self._fetchers.get(provider)
        if fetcher is None:
            raise RecordingRejected(f"no recordings can be fetched from a provider called {provider[:40]!r}")
        return await fetcher.fetch(provider=provider, url=url, channels=channels, target=target)
