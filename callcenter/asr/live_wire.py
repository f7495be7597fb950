"""What server and live recognisers say to each other over pipes: framed audio one way, lines of JSON the other.

A message to the recogniser is a header (`<BIqI`: kind, stream, time in ms, length) and so many bytes of samples.
An answer is an object with `kind`: ready, heard, partial, final, finished or failed.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any

from callcenter.domain.transcript import Word

_HEADER = struct.Struct("<BIqI")
LARGEST_AUDIO_BYTES = 1 << 20
BYTES_A_MS = 16
LONGEST_BYTES = 2000 * BYTES_A_MS
WORTHWHILE_BYTES = 3200
"""200 ms of one side."""


class Kind(IntEnum):
    """AUDIO wants a partial result with it, AUDIO_ONLY does without; DROP forgets a stream and answers nothing."""

    OPEN = 1
    AUDIO = 2
    AUDIO_ONLY = 3
    FINISH = 4
    DROP = 5


_KINDS = frozenset(Kind)


class BrokenWire(Exception):
    """What was read is no message: the other end speaks another version, or wrote past its bounds."""


def message(kind: Kind, stream: int, at_ms: int = 0, pcm: bytes = b"") -> bytes:
    return _HEADER.pack(kind, stream, at_ms, len(pcm)) + pcm


Message = tuple[Kind, int, int, bytes]
"""Kind, stream, time in ms of the first sample, samples."""


class MessageReader:
    """Takes what comes out of the pipe, in whatever pieces, and gives whole messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, read: bytes) -> list[Message]:
        """Raises BrokenWire."""
        data, at, found = self._rest + read, 0, []
        while len(data) - at >= _HEADER.size:
            kind, stream, at_ms, length = _HEADER.unpack_from(data, at)
            if length > LARGEST_AUDIO_BYTES or kind not in _KINDS:
                raise BrokenWire(f"kind {kind} with {length} bytes")
            begins = at + _HEADER.size
            if len(data) < begins + length:
                break
            found.append((Kind(kind), stream, at_ms, data[begins : begins + length]))
            at = begins + length
        self._rest = data[at:]
        return found


def joined(messages: Iterable[Message]) -> Iterator[Message]:
    """The sound of a stream that came in several messages as one: the further behind, the fewer and longer pieces.

    A stream's own messages keep their order.
    """
    sound: dict[int, list[Message]] = {}
    for one in messages:
        if one[0] in (Kind.AUDIO, Kind.AUDIO_ONLY):
            sound.setdefault(one[1], []).append(one)
            continue
        if one[1] in sound:
            yield from _as_few(sound.pop(one[1]))
        yield one
    for pieces in sound.values():
        yield from _as_few(pieces)


def held_back(messages: Iterable[Message], *, more_waits: bool) -> tuple[list[Message], list[Message]]:
    """(what to work on now, what to join with what comes next): where more waits already, short pieces can wait for it.

    Recognising 100 ms costs nearly as much again as part of a longer piece; a process that keeps up never holds any.
    """
    now: list[Message] = []
    held: dict[int, Message] = {}
    for one in messages:
        if one[1] in held:  # the stream goes on in this very read: its end must not overtake its sound
            now.append(held.pop(one[1]))
        if more_waits and one[0] in (Kind.AUDIO, Kind.AUDIO_ONLY) and len(one[3]) < WORTHWHILE_BYTES:
            held[one[1]] = one
        else:
            now.append(one)
    return now, list(held.values())


def _as_few(pieces: list[Message]) -> Iterator[Message]:
    """Never so long that a slow process looks as if it hung: each is answered when it has been heard."""
    kind, (_, stream, at_ms, _) = pieces[-1][0], pieces[0]
    pcm = b"".join(piece[3] for piece in pieces)
    for at in range(0, max(1, len(pcm)), LONGEST_BYTES):
        yield kind, stream, at_ms + at // BYTES_A_MS, pcm[at : at + LONGEST_BYTES]


def answer(kind: str, **values: Any) -> bytes:
    return json.dumps({"kind": kind} | values, ensure_ascii=False).encode() + b"\n"


def written_words(words: tuple[Word, ...]) -> list[list[Any]]:
    return [[word.text, word.start_ms, word.end_ms, round(word.confidence, 3)] for word in words]


def read_words(written: list[list[Any]]) -> tuple[Word, ...]:
    return tuple(Word(text=w[0], start_ms=w[1], end_ms=w[2], confidence=w[3]) for w in written)
