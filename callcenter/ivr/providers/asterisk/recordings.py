"""Recordings of an Asterisk: fetched by its REST interface when they are final, one file a side made into one."""

import asyncio
import struct
import wave
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriError, AriGone, AriUnreachable
from callcenter.ivr.providers.asterisk.names import server_and_channel, side_of, voice_mail_of
from callcenter.ports import FetchedRecording, RecordingRejected, RecordingUnavailable

SCHEME = "asterisk"
SIDES = ("resident", "agent")
FRAMES_AT_ONCE = 80_000
HEADER_BYTES = 44
PCM_MONO_8_KHZ = (1, 1, 8000)


class NotOurs(Exception):
    """The file is not what MixMonitor or Record make for us."""


def recording_address(call_id: str, content: str) -> str:
    """Which recording of which Asterisk; where that is reached, the settings say."""
    server, channel = server_and_channel(call_id)
    return f"{SCHEME}://{server}/{quote(channel, safe='')}/{content}"


class AsteriskRecordings:
    """Fetches recordings (RecordingFetcher) from the Asterisks in the settings and from nowhere else."""

    def __init__(self, servers: Mapping[str, AriClient], *, largest_bytes: int) -> None:
        self._servers = servers
        self._largest_bytes = largest_bytes

    async def fetch(self, *, provider: str, url: str, channels: int, target: Path) -> FetchedRecording:
        """A conversation becomes a file of two channels, the resident first. Raises as RecordingFetcher says."""
        ari, channel, content = self._named(url)
        names = [side_of(channel, side) for side in SIDES] if channels > 1 else [voice_mail_of(channel)]
        parts = [target.with_name(f"{target.name}.{number}.part") for number in range(len(names))]
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            for name, part in zip(names, parts, strict=True):
                await ari.download(name, part, largest_bytes=self._largest_bytes // len(names))
            await asyncio.to_thread(_joined, parts, target)
            return FetchedRecording(path=target, size_bytes=target.stat().st_size)
        except (AriUnreachable, AriGone) as error:
            raise RecordingUnavailable(str(error)) from error
        except (AriError, NotOurs) as error:
            raise RecordingRejected(f"{content} of {channel}: {error}") from error
        except OSError as error:
            raise RecordingUnavailable(f"{target.parent} does not take the recording: {error.strerror}") from error
        finally:
            for part in parts:
                part.unlink(missing_ok=True)

    def _named(self, url: str) -> tuple[AriClient, str, str]:
        parts = urlsplit(url)
        channel, _, content = parts.path.removeprefix("/").rpartition("/")
        if parts.scheme != SCHEME or not channel:
            raise RecordingRejected(f"{url[:80]!r} is no recording of an Asterisk")
        ari = self._servers.get(parts.netloc)
        if ari is None:
            raise RecordingRejected(f"there is no Asterisk {parts.netloc[:40]!r} in the settings any more")
        return ari, unquote(channel), content


def _joined(parts: list[Path], target: Path) -> None:
    """Sides that differ in length are filled up with silence. Raises NotOurs, OSError."""
    whole = target.with_name(target.name + ".part")
    sides = [_samples(part) for part in parts]
    frames = max(len(side) for side in sides) // 2
    with wave.open(str(whole), "wb") as file:
        file.setnchannels(len(sides))
        file.setsampwidth(2)
        file.setframerate(8000)
        for begin in range(0, frames, FRAMES_AT_ONCE):
            end = min(frames, begin + FRAMES_AT_ONCE)
            file.writeframes(
                _interleaved([side[begin * 2 : end * 2].ljust((end - begin) * 2, b"\0") for side in sides])
            )
    whole.replace(target)


def _samples(part: Path) -> bytes:
    """What follows the header that Asterisk writes, whose lengths are 0 where it was killed. Raises NotOurs."""
    sound = part.read_bytes()
    head, body = sound[:HEADER_BYTES], sound[HEADER_BYTES:]
    if len(head) < HEADER_BYTES or head[:4] + head[8:16] + head[36:40] != b"RIFFWAVEfmt data":
        raise NotOurs("not a WAV file as Asterisk writes it")
    if struct.unpack("<HHI", head[20:28]) != PCM_MONO_8_KHZ or head[34:36] != b"\x10\0":
        raise NotOurs("not 16-bit mono at 8 kHz")
    return body[: len(body) // 2 * 2]


def _interleaved(sides: list[bytes]) -> bytes:
    if len(sides) == 1:
        return sides[0]
    out = bytearray(sum(map(len, sides)))
    for number, side in enumerate(sides):
        for byte in (0, 1):
            out[number * 2 + byte :: 2 * len(sides)] = side[byte::2]
    return bytes(out)
