"""What server and live recognisers say to each other over pipes: framed audio one way, lines of JSON the other.

A message to the recogniser is a header (`<BIqI`: kind, stream, time in ms, length) and so many bytes of samples.
An answer is an object with `kind`: ready, heard, partial, final, finished or failed.
"""

import json
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Any, BinaryIO

from callcenter.domain.transcript import Word

_HEADER = struct.Struct("<BIqI")
LARGEST_AUDIO_BYTES = 1 << 20


class Kind(IntEnum):
    """AUDIO wants a partial result with it, AUDIO_ONLY does without; DROP forgets a stream and answers nothing."""

    OPEN = 1
    AUDIO = 2
    AUDIO_ONLY = 3
    FINISH = 4
    DROP = 5


class BrokenWire(Exception):
    """What was read is no message: the other end speaks another version, or wrote past its bounds."""


def message(kind: Kind, stream: int, at_ms: int = 0, pcm: bytes = b"") -> bytes:
    return _HEADER.pack(kind, stream, at_ms, len(pcm)) + pcm


def messages(source: BinaryIO) -> Iterator[tuple[Kind, int, int, bytes]]:
    """(kind, stream, time in ms, samples) until the other end closes. Raises BrokenWire."""
    while len(header := source.read(_HEADER.size)) == _HEADER.size:
        kind, stream, at_ms, length = _HEADER.unpack(header)
        if length > LARGEST_AUDIO_BYTES or kind not in list(Kind):
            raise BrokenWire(f"kind {kind} with {length} bytes")
        pcm = source.read(length)
        if len(pcm) < length:
            return
        yield Kind(kind), stream, at_ms, pcm


def answer(kind: str, **values: Any) -> bytes:
    return json.dumps({"kind": kind} | values, ensure_ascii=False).encode() + b"\n"


def written_words(words: tuple[Word, ...]) -> list[list[Any]]:
    return [[word.text, word.start_ms, word.end_ms, round(word.confidence, 3)] for word in words]


def read_words(written: list[list[Any]]) -> tuple[Word, ...]:
    return tuple(Word(text=w[0], start_ms=w[1], end_ms=w[2], confidence=w[3]) for w in written)
