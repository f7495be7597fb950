"""The call as turns: what one side said until the other spoke, put right by sound, with the way back to the audio."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from callcenter.domain.service_language.findings import Finding
from callcenter.domain.service_language.sounds import put_right
from callcenter.domain.transcript import Side, Transcript
from callcenter.domain.understanding.text import Line, lines_of, paused


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """`text` is put right by sound, `heard` as it stands in the transcript, letter by letter the same length.

    `places` is each letter's (index of its line, start_ms, end_ms).
    """

    side: Side
    text: str
    heard: str
    places: tuple[tuple[int, int, int], ...]

    @property
    def by_agent(self) -> bool:
        return self.side is Side.AGENT

    @property
    def start_ms(self) -> int:
        return self.places[0][1]

    @property
    def end_ms(self) -> int:
        return self.places[-1][2]

    def finding(self, check: str, start: int, end: int, *, amount: int | None = None) -> Finding:
        first, last = self.places[start], self.places[max(start, end - 1)]
        return Finding(
            check=check,
            words=self.heard[start:end].strip("，,。 "),
            start_ms=first[1],
            end_ms=last[2],
            line=first[0],
            amount=amount,
        )

    def whole(self, check: str, *, amount: int | None = None) -> Finding:
        return self.finding(check, 0, len(self.text), amount=amount)


Sounds = Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]


def turns_of(transcript: Transcript, sounds: Sounds) -> tuple[Turn, ...]:
    """Consecutive lines of one side are one turn; the agent's words alone are put right."""
    groups = groupby(lines_of(transcript), key=lambda line: line.side)
    return tuple(_turn(side, list(lines), sounds) for side, lines in groups)


def _turn(side: Side, lines: Sequence[Line], sounds: Sounds) -> Turn:
    heard, places = "", []
    for letter, place in _letters(lines):
        heard += letter
        places.append(place)
    right = put_right(heard, sounds) if side is Side.AGENT else heard
    return Turn(side=side, text=right, heard=heard, places=tuple(places))


def _letters(lines: Sequence[Line]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    for number, line in enumerate(lines):
        text, origin = paused(line)
        if number and text[0].isalnum():
            yield "，", (line.index, *line.times[0])
        for letter, source in zip(text, origin, strict=False):
            yield letter, (line.index, *line.times[min(source, len(line.times) - 1)])
