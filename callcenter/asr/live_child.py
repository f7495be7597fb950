"""A live recogniser's process: `python -m callcenter.asr.live_child SETTINGS`, fed over standard input.

It loads the model once and recognises many calls side by side, in the order in which their sound comes. Native code
may kill it at any moment: its calls then lose their live words, and nothing else. It ends with its standard input.
"""

import json
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from callcenter.asr.child import limit_process
from callcenter.asr.engine import Engine, EngineSettings, load_engine
from callcenter.asr.errors import SpeechError
from callcenter.asr.live_side import LiveSide, LiveUtterance
from callcenter.asr.live_wire import Kind, Message, MessageReader, answer, held_back, joined, written_words

READ_BYTES = 1 << 20


def arguments(settings: EngineSettings) -> str:
    """The settings as the one argument of the process."""
    values = {
        "model_path": str(settings.model_path),
        "engine": settings.engine,
        "language": settings.language,
        "alternatives": settings.alternatives,
    }
    return json.dumps(values)


def settings_of(argument: str) -> EngineSettings:
    values: dict[str, Any] = json.loads(argument)
    return EngineSettings(**values | {"model_path": Path(values["model_path"])})


class _Sides:
    """The streams that are open, by their numbers."""

    def __init__(self, engine: Engine, out: BinaryIO) -> None:
        self._engine = engine
        self._out = out
        self._sides: dict[int, LiveSide] = {}
        self._partials: dict[int, str] = {}
        self._answers: list[bytes] = []

    def take(self, kind: Kind, stream: int, at_ms: int, pcm: bytes) -> None:
        """One message; what there is to say about it goes out in one piece."""
        self._take(kind, stream, at_ms, pcm)
        if self._answers:
            self._out.write(b"".join(self._answers))
            self._out.flush()
            self._answers.clear()

    def _take(self, kind: Kind, stream: int, at_ms: int, pcm: bytes) -> None:
        if kind is Kind.OPEN:
            self._sides[stream] = LiveSide(self._engine)
        elif kind is Kind.DROP:
            self._forget(stream)
        elif (side := self._sides.get(stream)) is None:
            return
        elif kind is Kind.FINISH:
            self._say_finals(stream, tuple(side.finish()))
            self._forget(stream)
            self._say("finished", stream=stream)
        else:
            self._hear(stream, side, at_ms, pcm, wants_partial=kind is Kind.AUDIO)

    def _hear(self, stream: int, side: LiveSide, at_ms: int, pcm: bytes, *, wants_partial: bool) -> None:
        heard = tuple(side.accept(pcm, at_ms=at_ms))
        self._say_finals(stream, heard)
        if heard:
            self._partials.pop(stream, None)
        elif wants_partial and side.is_speaking:
            self._say_partial(stream, side.partial())
        self._say("heard", stream=stream, bytes=len(pcm))

    def _say_partial(self, stream: int, text: str) -> None:
        if text and text != self._partials.get(stream):
            self._partials[stream] = text
            self._say("partial", stream=stream, text=text)

    def _say_finals(self, stream: int, heard: tuple[LiveUtterance, ...]) -> None:
        for utterance in heard:
            words = written_words(utterance.words)
            self._say("final", stream=stream, words=words, alternatives=utterance.alternatives)

    def _forget(self, stream: int) -> None:
        self._sides.pop(stream, None)
        self._partials.pop(stream, None)

    def _say(self, kind: str, **values: Any) -> None:
        self._answers.append(answer(kind, **values))


def main() -> int:
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # whatever native code prints must not stand among the answers
        limit_process(None)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(
                number, signal.SIG_IGN
            )  # a stop of the whole group: the server ends first, and lets calls end
        try:
            engine = load_engine(settings_of(sys.argv[1]))
            LiveSide(engine)  # a truncated graph is noticed only by the first recogniser
        except SpeechError as error:
            out.write(answer("failed", reason=str(error)))
            return 1
        out.write(answer("ready"))
        out.flush()
        sides = _Sides(engine, out)
        reader, held = MessageReader(), list[Message]()
        stdin = sys.stdin.fileno()
        while read := os.read(stdin, READ_BYTES):
            more_waits = bool(select.select([stdin], [], [], 0)[0])
            now, held = held_back(joined([*held, *reader.feed(read)]), more_waits=more_waits)
            for kind, stream, at_ms, pcm in now:
                sides.take(kind, stream, at_ms, pcm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
