"""Fetch one large file over HTTP: goes on where it was cut, never holds it in memory, checks its sum."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import aiohttp

from callcenter.asr.errors import ModelDownloadFailed

DownloadProgress = Callable[[int, int | None], None]
"""Called with bytes done and bytes in all (None where the server does not say)."""

_ATTEMPTS_WITHOUT_PROGRESS = 5
_PAUSE_SECONDS = 2.0
_CHUNK_BYTES = 1 << 20
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)


async def download(
    address: str,
    part_path: Path,
    *,
    largest_bytes: int,
    progress: DownloadProgress | None = None,
) -> None:
    """Fetch into `part_path`, which stays for the next try if this one fails. Raises ModelDownloadFailed."""
    failures = 0
    async with aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session:
        while True:
            before = _size(part_path)
            try:
                await _fetch(session, address, part_path, largest_bytes=largest_bytes, progress=progress)
                return
            except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
                failures = 1 if _size(part_path) > before else failures + 1
                if failures >= _ATTEMPTS_WITHOUT_PROGRESS:
                    raise ModelDownloadFailed(f"{address} cannot be fetched ({error!r}): try again later") from error
                await asyncio.sleep(_PAUSE_SECONDS * failures)


async def _fetch(
    session: aiohttp.ClientSession,
    address: str,
    part_path: Path,
    *,
    largest_bytes: int,
    progress: DownloadProgress | None,
) -> None:
    done = _size(part_path)
    tag_path = part_path.with_suffix(part_path.suffix + ".tag")
    async with session.get(address, headers=_range_headers(done, tag_path)) as response:
        if response.status == 416:  # the part is not of this file, or already whole
            await asyncio.to_thread(part_path.unlink, missing_ok=True)
            raise aiohttp.ClientPayloadError("the server cannot go on from here; starting anew")
        if response.status not in (200, 206):
            raise ModelDownloadFailed(f"{address} answers {response.status} {response.reason}: check the manifest")
        if response.status == 200:
            done = 0
        total = done + response.content_length if response.content_length is not None else None
        tag_path.write_text(response.headers.get("ETag", ""), encoding="utf-8")
        await _store(response, part_path, done=done, total=total, largest_bytes=largest_bytes, progress=progress)
    tag_path.unlink(missing_ok=True)


def _range_headers(done: int, tag_path: Path) -> dict[str, str]:
    """Ask for the rest, and for the whole if the file has changed meanwhile."""
    if not done:
        return {}
    tag = tag_path.read_text(encoding="utf-8") if tag_path.exists() else ""
    return {"Range": f"bytes={done}-"} | ({"If-Range": tag} if tag.startswith('"') else {})


async def _store(
    response: aiohttp.ClientResponse,
    part_path: Path,
    *,
    done: int,
    total: int | None,
    largest_bytes: int,
    progress: DownloadProgress | None,
) -> None:
    with await asyncio.to_thread(part_path.open, "ab" if done else "wb") as file:
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            done += len(chunk)
            if done > largest_bytes:
                raise ModelDownloadFailed(f"{response.url} sends more than {largest_bytes} bytes: not what we expect")
            await asyncio.to_thread(file.write, chunk)
            if progress is not None:
                progress(done, total)
    if total is not None and done < total:
        raise aiohttp.ClientPayloadError(f"cut after {done} of {total} bytes")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
