"""What a resident hears after pressing a key on a call of ours: by the reminder's kind, pure decisions."""

from callcenter.domain.key_answer import AGAIN, ANSWER, THEN, is_day_of_month
from callcenter.domain.reminder_kind import PERSON, STOP, STOP_KEY, Key, ReminderKind
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.ivr.provider import AskResident, HangUp, ResidentPressed, Say, Step

SECONDS = 6
NOT_KNOWN = "对不起，没有这个选项。"
GOOD_BYE = "感谢您的接听，再见。"


def after_key(pressed: ResidentPressed) -> tuple[Step, ...]:
    """The kind's answer to the key, its second question, or the first one once more after an unknown key."""
    kind = reminder_kinds().get(pressed.kind)
    if kind is None:
        return Say(text=STOP.reply if pressed.digits == STOP_KEY else GOOD_BYE), HangUp()
    if pressed.asked == THEN:
        return Say(text=_then_reply(kind, pressed.digits)), HangUp()
    key = kind.keys.get(pressed.digits[:1])
    if key is None:
        return _ask_again(kind, pressed)
    if key.then_digits:
        return Say(text=key.reply), _ask(pressed, key.then_asks, asked=THEN, digits=key.then_digits), *_person()
    return Say(text=key.reply), HangUp()


def _ask_again(kind: ReminderKind, pressed: ResidentPressed) -> tuple[Step, ...]:
    if pressed.asked != ANSWER:
        return Say(text=GOOD_BYE), HangUp()
    return _ask(pressed, NOT_KNOWN + kind.key_prompt, asked=AGAIN, digits=1), HangUp()


def _ask(pressed: ResidentPressed, prompt: str, *, asked: str, digits: int) -> AskResident:
    return AskResident(
        prompt=prompt, seconds=SECONDS, digits=digits, purpose=pressed.purpose, kind=pressed.kind, asked=asked
    )


def _then_reply(kind: ReminderKind, digits: str) -> str:
    """The only second question asks for a day of the month."""
    second: Key | None = next((key for key in kind.keys.values() if key.then_digits), None)
    return second.then_reply if second and is_day_of_month(digits) else PERSON.reply


def _person() -> tuple[Step, ...]:
    return Say(text=PERSON.reply), HangUp()
