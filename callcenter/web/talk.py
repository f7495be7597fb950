"""A call's live words as the page shows them: sentences that stand, words that may still change, danger marked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.db.live import LiveState
from callcenter.reports.live_calls import LiveWords
from callcenter.services.live_board import LiveLine, LiveTalk

CSS = {"resident": "res", "agent": "agt"}


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkLine:
    side: str
    start_ms: int
    text: str

    @property
    def css(self) -> str:
        return CSS.get(self.side, "unk")


@dataclass(frozen=True, kw_only=True, slots=True)
class TalkPage:
    """What the page begins with. `is_running`: more will come."""

    lines: tuple[TalkLine, ...]
    state: str
    is_running: bool


def talk_page(found: LiveWords | None) -> TalkPage | None:
    if found is None:
        return None
    lines = (TalkLine(side=one.side, start_ms=one.start_ms, text=one.text) for one in found.segments)
    running = found.live.state == LiveState.RUNNING
    return TalkPage(lines=() if running else tuple(lines), state=found.live.state, is_running=running)


def news(talk: LiveTalk, *, sent: int) -> Mapping[str, Any]:
    """What a page is told that has `sent` lines already."""
    return {
        "from": sent,
        "lines": [_line(line) for line in talk.lines[sent:]],
        "partials": [{"side": side.value, "css": CSS.get(side, "unk"), "text": text} for side, text in talk.partials],
        "state": talk.state.value,
        "emergency": talk.is_emergency,
    }


def _line(line: LiveLine) -> Mapping[str, Any]:
    return {
        "side": line.side.value,
        "css": CSS.get(line.side, "unk"),
        "start_ms": line.start_ms,
        "text": line.text,
        "danger": list(line.danger),
    }
