"""How far a running transcription is, for a progress bar."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

Progress = Callable[[float, float], None]
"""Called on the event loop with seconds done and seconds in all."""

_LOOK_EVERY_SECONDS = 0.25


@asynccontextmanager
async def watch_progress(report: Progress, paths: list[Path], *, total_seconds: float) -> AsyncIterator[None]:
    """Report the mean of what the processes wrote to their files, until the block ends."""
    watching = asyncio.create_task(_watch(report, paths, total_seconds))
    try:
        yield
        report(total_seconds, total_seconds)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(report: Progress, paths: list[Path], total_seconds: float) -> None:
    while True:
        done_ms = [await asyncio.to_thread(_read, path) for path in paths]
        report(min(total_seconds, sum(done_ms) / len(done_ms) / 1000), total_seconds)
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _read(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0
