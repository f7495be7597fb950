"""A trunk: one way out to the residents, with the number it shows and how much it may carry."""

from dataclasses import dataclass
from datetime import timedelta

PACE_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trunk:
    """`from_number` empty: the provider's own. At most `calls_at_once`, and `calls_a_minute` in any minute."""

    name: str
    from_number: str = ""
    calls_at_once: int = 20
    calls_a_minute: int = 60

    def room(self, *, under_way: int, in_the_last_minute: int) -> int:
        """How many more calls it can take now."""
        return max(0, min(self.calls_at_once - under_way, self.calls_a_minute - in_the_last_minute))
