"""What a resident meant by the keys pressed on a call of ours: which question, which key, which date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from callcenter.domain.reminder_kind import KeyAction, ReminderKind

ANSWER, AGAIN, THEN = "answer", "again", "then"
"""The questions: the keys of the kind, the same once more after an unknown key, and a key's own second question."""

LAST_DAY = 31


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyAnswer:
    """`digit` is the key, `then` the digits that answered its second question, empty where there was none."""

    action: KeyAction
    digit: str
    then: str = ""

    @property
    def code(self) -> str:
        """As it is stored with the attempt: rated:4, agreed:1:15."""
        return ":".join(part for part in (self.action.value, self.digit, self.then) if part)


def understood(kind: ReminderKind, keys: Sequence[Sequence[str]]) -> KeyAnswer | None:
    """The answer in a call's (question, digits) pairs: the wish for no more calls wins, else the last known key."""
    digits_pressed = [str(digits)[:1] for asked, digits in keys if asked in (ANSWER, AGAIN)]
    pressed = [(digit, kind.keys[digit]) for digit in digits_pressed if digit in kind.keys]
    if not pressed:
        return None
    digit, key = next((one for one in pressed if one[1].action is KeyAction.STOP), pressed[-1])
    then = next((str(digits) for asked, digits in keys if asked == THEN), "") if key.then_digits else ""
    return KeyAnswer(action=key.action, digit=digit, then=then)


def is_day_of_month(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and 1 <= int(digits) <= LAST_DAY


def next_day_of_month(digits: str, *, today: date) -> date | None:
    """The first date after today whose day is the one keyed: 05 -> the next fifth. None where it is no day."""
    if not is_day_of_month(digits):
        return None
    for ahead in range(1, 2 * LAST_DAY + 1):
        day = today + timedelta(days=ahead)
        if day.day == int(digits):
            return day
    return None
