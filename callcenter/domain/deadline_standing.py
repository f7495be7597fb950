"""How a deadline stands at a moment: green, amber, red, paused, or over. Pure, for every page that shows one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Light(StrEnum):
    """AMBER: its owner is told by now. RED: passed. KEPT_LATE: met after its limit."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    PAUSED = "paused"
    KEPT = "kept"
    KEPT_LATE = "kept_late"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyWarning:
    """How long before a limit the warning comes: a share of its whole length, and never more than `longest`."""

    share: float = 0.25
    longest: timedelta = timedelta(hours=4)
    unknown_length: timedelta = timedelta(minutes=30)

    def before(self, due_at: datetime, counts_from: datetime | None) -> timedelta:
        if counts_from is None or counts_from >= due_at:
            return min(self.unknown_length, self.longest)
        return min((due_at - counts_from) * self.share, self.longest)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadlineStanding:
    """`left` is the time to the limit, negative once it has passed; for one that is met, how early it was met."""

    light: Light
    left: timedelta


def deadline_standing(
    *,
    due_at: datetime,
    now: datetime,
    counts_from: datetime | None = None,
    paused_at: datetime | None = None,
    met_at: datetime | None = None,
    cancelled_at: datetime | None = None,
    warning: EarlyWarning | None = None,
    told_at_once: bool = False,
) -> DeadlineStanding:
    """The light of one deadline. While it is paused, `left` is what was left when the pause began.

    `told_at_once`: an emergency's, whose owner is told when it begins: never green.
    """
    if met_at is not None:
        return DeadlineStanding(light=Light.KEPT if met_at <= due_at else Light.KEPT_LATE, left=due_at - met_at)
    if cancelled_at is not None:
        return DeadlineStanding(light=Light.CANCELLED, left=due_at - cancelled_at)
    if paused_at is not None:
        return DeadlineStanding(light=Light.PAUSED, left=due_at - paused_at)
    left = due_at - now
    if left <= timedelta():
        return DeadlineStanding(light=Light.RED, left=left)
    near = told_at_once or left <= (warning or EarlyWarning()).before(due_at, counts_from)
    return DeadlineStanding(light=Light.AMBER if near else Light.GREEN, left=left)
