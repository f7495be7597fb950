"""Random calls of a few days as raw events, stored and folded; and what became of each, worked out here anew.

`Told` is computed from the moments at which things happened, with nothing of the product's own folding or figures.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from callcenter.db.engine import Database
from callcenter.db.events import CallEventRow, event_values
from callcenter.domain.rings import RingRule
from callcenter.services.fold_calls import fold_pending
from tests.web.factory import Ring, Story, events_of

AGENTS = ("sun", "chen", "li", "zhao")


def random_stories(seed: int, start: datetime, *, calls: int = 80, hours: float = 60) -> list[Story]:
    """Answered at once, late, after others let it ring or refused; left, given up, rung out; some on a coarse clock."""
    dice = random.Random(seed)
    stories = []
    for number in range(calls):
        at = start + timedelta(milliseconds=dice.randrange(round(hours * 3_600_000)))
        stories.append(
            Story(
                call_id=f"CA{seed}-{number}",
                at=at,
                rings=_rings(dice),
                talk_seconds=round(dice.uniform(5, 400), 3),
                voice_mail=dice.random() < 0.15,
                from_number=f"+86138{dice.randrange(10**8):08}",
                whole_seconds=dice.random() < 0.4,
            )
        )
    return [_without_mail(story) for story in stories]


def _rings(dice: random.Random) -> tuple[Ring, ...]:
    rings: list[Ring] = []
    at = round(dice.uniform(0.8, 9), 3)
    for _ in range(dice.randrange(3)):
        length = round(dice.uniform(0.5, 20), 3)
        outcome = dice.choice(("refused", "rang_out"))
        rings.append(Ring(agent=dice.choice(AGENTS), start=at, seconds=length, outcome=outcome))
        at = round(at + length + dice.choice((0.0, 0.5, 3.0)), 3)
    if dice.random() < 0.85:
        outcome = "answered" if dice.random() < 0.8 else "cancelled"
        length = round(dice.choice((dice.uniform(0.2, 9), dice.uniform(0.2, 40), 5.0, 14.2, 15.0)), 3)
        rings.append(Ring(agent=dice.choice(AGENTS), start=at, seconds=length, outcome=outcome))
    return tuple(rings)


def _without_mail(story: Story) -> Story:
    """Nobody leaves a voice mail on a call that was answered or given up."""
    settled = {"answered", "cancelled"} & {ring.outcome for ring in story.rings}
    return Story(**{**_fields(story), "voice_mail": False}) if settled or not story.rings else story


def _fields(story: Story) -> dict[str, object]:
    return {name: getattr(story, name) for name in story.__dataclass_fields__}


async def store(database: Database, stories: list[Story], rule: RingRule, now: datetime) -> None:
    async with database.write() as session:
        for story in stories:
            session.add_all(CallEventRow(**event_values(event, event.at.latest)) for event in events_of(story))
    while await fold_pending(database, rule, now=now):
        continue


@dataclass(frozen=True, kw_only=True)
class Told:
    """`ring_ms`, `speed_ms`, `talk_ms` are (least, greatest); `what` as a person would say it."""

    story: Story
    what: str
    ring_ms: tuple[int, int] | None = None
    speed_ms: tuple[int, int] | None = None
    talk_ms: tuple[int, int] | None = None
    by: str | None = None


def told(story: Story) -> Told:
    if not story.rings:
        return Told(story=story, what="left")
    last = story.rings[-1]
    if story.voice_mail:
        return Told(story=story, what="voice_mail")
    ring = _ringing(story)
    if last.outcome == "answered":
        answer = last.start + last.seconds
        first = min(max(0.0, ring.start - 0.8) for ring in story.rings)
        return Told(
            story=story,
            what="answered",
            ring_ms=ring,
            speed_ms=_between(story, first, answer),
            talk_ms=_between(story, answer, answer + story.talk_seconds),
            by=last.agent,
        )
    if last.outcome == "cancelled":
        return Told(story=story, what="given_up", ring_ms=ring)
    refused = any(one.outcome == "refused" for one in story.rings)
    return Told(story=story, what="refused" if refused else "rang_out", ring_ms=ring)


def _stamp(story: Story, seconds: float) -> tuple[int, int]:
    """The moment as the clock shows it, in milliseconds since the call's own day began: least and greatest."""
    exact = round((story.at - datetime(2026, 1, 1, tzinfo=story.at.tzinfo)).total_seconds() * 1000 + seconds * 1000)
    return (exact // 1000 * 1000, exact // 1000 * 1000 + 1000) if story.whole_seconds else (exact, exact)


def _between(story: Story, begin: float, end: float) -> tuple[int, int]:
    (b_low, b_high), (e_low, e_high) = _stamp(story, begin), _stamp(story, end)
    return max(0, e_low - b_high), e_high - b_low


def _ringing(story: Story) -> tuple[int, int]:
    """All the ringing heard, second by millisecond: the least and the most that the stamps allow."""
    least: set[int] = set()
    most: set[int] = set()
    for ring in story.rings:
        (b_low, b_high), (e_low, e_high) = _stamp(story, ring.start), _stamp(story, ring.start + ring.seconds)
        least.update(range(b_high, e_low))
        most.update(range(b_low, e_high))
    return len(least), len(most)
