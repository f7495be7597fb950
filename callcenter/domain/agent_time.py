"""How long agents were on duty by their own word, and how much of that they were occupied.

On duty is who says to be ready, or finishing the last call's notes; not who is at other work or away. Before an agent's
first word nothing is known, and nothing is counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from callcenter.domain.agent_states import AgentState, Said

Interval: TypeAlias = tuple[datetime, datetime]
"""[begin, end)."""

ON_DUTY = frozenset({AgentState.READY, AgentState.WRAP_UP})
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentTime:
    """Milliseconds on duty, of those in conversation, and of the others finishing notes."""

    on_duty_ms: int = 0
    talk_ms: int = 0
    wrap_up_ms: int = 0

    @property
    def occupancy(self) -> float | None:
        """(Conversation + work after calls) / time on duty (占用率); None where nobody was."""
        return (self.talk_ms + self.wrap_up_ms) / self.on_duty_ms if self.on_duty_ms else None

    def __add__(self, other: "AgentTime") -> "AgentTime":
        return AgentTime(
            on_duty_ms=self.on_duty_ms + other.on_duty_ms,
            talk_ms=self.talk_ms + other.talk_ms,
            wrap_up_ms=self.wrap_up_ms + other.wrap_up_ms,
        )


def agent_time(said: Sequence[Said], talks: Iterable[Interval], *, start: datetime, end: datetime) -> AgentTime:
    """One agent's time within [start, end). `said`: their words, the earliest first; the last one before `start`, if
    there is one, says what they were at `start`. `talks`: their conversations."""
    talked, total = list(_joined(talks)), AgentTime()
    for state, begin, until in _states(said, start, end):
        if state in ON_DUTY:
            length, talk = _ms(until - begin), sum(_overlap(one, (begin, until)) for one in talked)
            wrap_up = length - talk if state is AgentState.WRAP_UP else 0
            total += AgentTime(on_duty_ms=length, talk_ms=talk, wrap_up_ms=wrap_up)
    return total


def _states(said: Sequence[Said], start: datetime, end: datetime) -> Iterator[tuple[AgentState, datetime, datetime]]:
    for number, one in enumerate(said):
        begin = max(one.since, start)
        until = min(said[number + 1].since if number + 1 < len(said) else end, end)
        if begin < until:
            yield one.state, begin, until


def _joined(talks: Iterable[Interval]) -> Iterator[Interval]:
    """Conversations in order; those that overlap, on a phone that takes two, as one."""
    current: Interval | None = None
    for begin, end in sorted(talks):
        if current is not None and begin <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current is not None:
            yield current
        current = begin, end
    if current is not None:
        yield current


def _overlap(one: Interval, other: Interval) -> int:
    return max(0, _ms(min(one[1], other[1]) - max(one[0], other[0])))


def _ms(length: timedelta) -> int:
    return length // MILLISECOND
