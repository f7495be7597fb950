"""What a kind of reminder is: a call that we owe a resident, what it says, which keys it asks for, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from callcenter.domain.calendar import TimeRange
from callcenter.domain.decent_times import Days

STOP_KEY = "9"


class KeyAction(StrEnum):
    """What a key pressed by the resident means; `services.key_answers` acts on it."""

    HEARD = "heard"
    CONFIRMED = "confirmed"
    WANTS_A_PERSON = "wants_a_person"
    RATED = "rated"
    STILL_BROKEN = "still_broken"
    AGREED = "agreed"
    STOP = "stop"


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key: what it means and what the resident then hears.

    With `then_asks` a second question follows, answered by `then_digits` digits and then by `then_reply`.
    """

    action: KeyAction
    reply: str
    then_asks: str = ""
    then_digits: int = 0
    then_reply: str = ""


HEARD = Key(action=KeyAction.HEARD, reply="谢谢您，再见。")
STOP = Key(action=KeyAction.STOP, reply="好的，以后不再给您打电话。再见。")
PERSON = Key(action=KeyAction.WANTS_A_PERSON, reply="好的，稍后由工作人员给您回电。再见。")
TOLD: Mapping[str, Key] = {"1": HEARD, "2": PERSON, STOP_KEY: STOP}
RATINGS: Mapping[str, Key] = {
    **{rating: Key(action=KeyAction.RATED, reply="感谢您的评价，再见。") for rating in "543"},
    **{
        rating: Key(action=KeyAction.RATED, reply="非常抱歉没有让您满意，主管会尽快跟进。感谢您的评价，再见。")
        for rating in "21"
    },
    "0": Key(action=KeyAction.STILL_BROKEN, reply="非常抱歉，我们马上重新安排处理，并尽快给您回电。再见。"),
    STOP_KEY: STOP,
}

EVERYWHERE = frozenset({"company", "greeting", "agent"})
OF_A_TICKET = frozenset({"reported", "place", "ticket", "promised"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ReminderKind:
    """One kind, one file in `reminder_kinds/`.

    `text` is the template spoken to the resident, with the fields EVERYWHERE and `fields`; an operator's own text must
    name all of `required` and may use none of `forbidden_words`. `keys` are asked for by `key_prompt` when the text was
    heard without a key. `hours` None: the decent hours of the settings; `may_go_outside_decent_hours` holds only for
    a reminder that was promised for a time. `served_by_another_call`: once the resident was spoken to about the ticket
    this call is no longer needed. `goes_to_a_person` after the last attempt; `needs_consent` and
    `not_during_a_complaint` are asked of the number. `connects_agents`: an agent takes the call, which is made only
    while one is free; `ordered_by_agent`: the agent who ordered it speaks, and nothing is played.
    """

    name: str
    label_zh: str
    label_en: str
    text: str
    key_prompt: str
    fields: frozenset[str] = OF_A_TICKET
    required: frozenset[str] = frozenset()
    forbidden_words: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=lambda: {STOP_KEY: STOP})
    hours: tuple[TimeRange, ...] | None = None
    days: Days = Days.EVERY_DAY
    may_go_outside_decent_hours: bool = False
    served_by_another_call: bool = False
    goes_to_a_person: bool = True
    needs_consent: bool = False
    not_during_a_complaint: bool = False
    connects_agents: bool = False
    ordered_by_agent: bool = False

    @property
    def known_fields(self) -> frozenset[str]:
        return EVERYWHERE | self.fields
