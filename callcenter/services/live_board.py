"""What is being said on the calls that go on now, in memory: for pages that are open, and gone with the process."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from callcenter.db.live import LiveState
from callcenter.domain.transcript import Segment, Side, Transcript

MOST_CALLS = 500
"""Kept at a time; the one that changed longest ago is forgotten first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveLine:
    """A stretch of speech that will not change any more; `danger` are words that stand in it.

    `segment` is the same as the recogniser told it, with the times of its words.
    """

    side: Side
    start_ms: int
    text: str
    danger: tuple[str, ...] = ()
    segment: Segment | None = None

    def as_segment(self) -> Segment:
        return self.segment or Segment(side=self.side, start_ms=self.start_ms, end_ms=self.start_ms, text=self.text)


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveTalk:
    """One call as it stands. `partials` may still change; `reason` says why it was lost or refused."""

    version: int
    state: LiveState
    reason: str | None = None
    lines: tuple[LiveLine, ...] = ()
    partials: tuple[tuple[Side, str], ...] = ()
    is_emergency: bool = False

    @property
    def transcript(self) -> Transcript:
        """All that stands so far."""
        segments = [line.as_segment() for line in self.lines]
        return Transcript.of(segments, duration_ms=max((one.end_ms for one in segments), default=0))


Change = Callable[[LiveTalk], LiveTalk]


@dataclass
class LiveBoard:
    """Written by whoever hears; `after` waits for news of one call."""

    _talks: OrderedDict[str, LiveTalk] = field(default_factory=OrderedDict)
    _waiting: dict[str, set[asyncio.Future[None]]] = field(default_factory=dict)

    def begin(self, call_id: str) -> None:
        self._put(call_id, LiveTalk(version=1, state=LiveState.RUNNING))

    def partial(self, call_id: str, side: Side, text: str) -> None:
        self._change(call_id, lambda talk: replace(talk, partials=_with(talk, side, text)))

    def line(self, call_id: str, line: LiveLine) -> None:
        self._change(
            call_id, lambda talk: replace(talk, lines=(*talk.lines, line), partials=_with(talk, line.side, ""))
        )

    def emergency(self, call_id: str) -> None:
        self._change(call_id, lambda talk: replace(talk, is_emergency=True))

    def end(self, call_id: str, state: LiveState, reason: str | None = None) -> None:
        self._change(call_id, lambda talk: replace(talk, state=state, reason=reason, partials=()))

    def talk(self, call_id: str) -> LiveTalk | None:
        return self._talks.get(call_id)

    async def after(self, call_id: str, version: int) -> LiveTalk:
        """The first state newer than `version` (0: any); waits also for a call that nobody has heard of yet."""
        while (talk := self._talks.get(call_id)) is None or talk.version <= version:
            news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = self._waiting.setdefault(call_id, set())
            waiting.add(news)
            try:
                await news
            finally:
                waiting.discard(news)
                if not waiting:
                    self._waiting.pop(call_id, None)
        return talk

    def _change(self, call_id: str, change: Change) -> None:
        talk = self._talks.get(call_id)
        if talk is not None:
            self._put(call_id, replace(change(talk), version=talk.version + 1))

    def _put(self, call_id: str, talk: LiveTalk) -> None:
        self._talks[call_id] = talk
        self._talks.move_to_end(call_id)
        while len(self._talks) > MOST_CALLS:
            self._talks.popitem(last=False)
        for news in tuple(self._waiting.get(call_id, ())):
            if not news.done():
                news.set_result(None)


def _with(talk: LiveTalk, side: Side, text: str) -> tuple[tuple[Side, str], ...]:
    others = tuple((one, words) for one, words in talk.partials if one is not side)
    return (*others, (side, text)) if text else others
