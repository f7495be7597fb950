"""The reasons of dialling decisions in words, for the console and `callcenter reminders explain`."""

from collections.abc import Mapping
from typing import Literal

from callcenter.domain.dialling import Reason
from callcenter.domain.reminder_kind import KeyAction

Language = Literal["zh", "en"]

_TEXTS: Mapping[Reason, tuple[str, str]] = {
    Reason.DUE: ("到期，且在可拨打时段内", "it is due, in decent hours"),
    Reason.PROMISED_TIME: ("承诺了时间，可在时段外拨打", "a time was promised, so it may go outside the decent hours"),
    Reason.ORDERED: ("客服要求立即拨打", "an agent ordered it at once"),
    Reason.NOT_YET_DUE: ("尚未到期", "it is not due yet"),
    Reason.OUTSIDE_DECENT_HOURS: ("不在可拨打时段，顺延到下一时段", "outside the decent hours: moved to the next ones"),
    Reason.NOT_ON_THIS_DAY: ("今天不拨打此类电话，顺延", "no such calls on this day: moved to the next allowed one"),
    Reason.UNWANTED_TIME: ("住户要求此时段不拨打", "the resident does not want calls at this time of day"),
    Reason.NO_COMMON_HOURS: (
        "住户的意愿与可拨打时段没有交集，请人工联系",
        "the resident's wishes leave none of the allowed hours: a person must see to it",
    ),
    Reason.REACHED_TODAY: ("今天已就此事联系过住户", "the resident was reached about this today already"),
    Reason.NUMBER_TRIED_OFTEN_TODAY: (
        "该号码今天的拨打次数已满",
        "this number was tried often enough today",
    ),
    Reason.LINE_IN_USE: ("正在拨打该号码", "this number is being called at this moment"),
    Reason.ALL_LINES_BUSY: ("线路已满，稍候拨打", "all lines are in use: it leaves as soon as one is free"),
    Reason.NOBODY_FREE: ("客服都在通话中，等有人空闲再拨", "no agent is free to take it: it leaves as soon as one is"),
    Reason.CAMPAIGN_PACE: ("已达群呼速度上限，稍候拨打", "the campaign's pace is reached: it leaves a little later"),
    Reason.RESIDENT_JUST_CALLED: (
        "住户刚来电，待确认来电内容后再决定",
        "the resident has just called in: decided once that call is understood",
    ),
    Reason.OPEN_COMPLAINT: (
        "住户有未办结的投诉，暂不催缴",
        "the resident has an open complaint: no fee is mentioned meanwhile",
    ),
    Reason.CAMPAIGN_HELD: ("群呼未开始或已暂停", "its campaign has not begun or is paused"),
    Reason.BUSY: ("占线，稍后再拨", "busy: tried again soon"),
    Reason.NO_ANSWER: ("无人接听，换一个时段再拨", "no answer: tried again at another time of day"),
    Reason.DECLINED: ("住户拒接，换一个时段再拨", "the resident declined: tried again at another time of day"),
    Reason.MACHINE: ("语音信箱接听，换一个时段再拨", "a machine answered: tried again at another time of day"),
    Reason.CALL_FAILED: ("呼叫未接通，稍后再拨", "the call failed: tried again soon"),
    Reason.PROVIDER_REFUSED: ("线路服务商未受理，稍后再拨", "the provider did not place the call: tried again soon"),
    Reason.REACHED: ("已联系到住户", "the resident was reached"),
    Reason.WRONG_NUMBER: ("号码有误，请人工核对", "wrong number: a person must find the right one"),
    Reason.OUTCOME_UNKNOWN: ("通话结果不明，请人工确认", "nobody knows how the call ended: a person must see to it"),
    Reason.PROVIDER_UNCERTAIN: (
        "服务商未明确答复，电话可能已响，请人工确认",
        "the provider gave no clear answer and the phone may have rung: a person must see to it",
    ),
    Reason.LEFT_UNFINISHED: (
        "拨打中途中断，电话可能已响，请人工确认",
        "we were interrupted while dialling and the phone may have rung: a person must see to it",
    ),
    Reason.LAST_ATTEMPT: (
        "已拨打规定次数仍未联系上，请人工跟进",
        "not reached by the last attempt: a person takes over",
    ),
    Reason.TOO_LATE: ("再拨已过时效", "another call would come too late"),
    Reason.WANTS_A_PERSON: ("住户按键要求人工回电", "the resident asked by key press for a call from a person"),
    Reason.DO_NOT_CALL: ("住户要求不再拨打", "the resident asked not to be called"),
    Reason.NOT_AGREED: ("住户未同意接听问候电话", "the resident has not agreed to greetings"),
    Reason.NOT_DIALABLE: (
        "没有可直接拨打的号码，请人工回电",
        "no number that can be dialled: a person must call",
    ),
    Reason.TICKET_FINISHED: ("工单已办结", "the ticket is finished"),
    Reason.RESIDENT_CALLED_IN: ("住户已再次来电并接通", "the resident has called in meanwhile and was answered"),
    Reason.ANOTHER_CALL_SERVED: ("另一通电话已告知住户", "another call has told the resident"),
    Reason.NO_LONGER_OWED: ("工单更正后不再需要", "the ticket was corrected and it is no longer owed"),
    Reason.CANCELLED_BY_PERSON: ("人工取消", "a person cancelled it"),
    Reason.SPOKEN_TO: ("客服已与住户通话", "a person has spoken to the resident"),
}


def reason_text(reason: str, language: Language = "zh") -> str:
    """The reason in words; a reason that is not one of ours is a person's own and is shown as it is."""
    try:
        texts = _TEXTS[Reason(reason)]
    except ValueError:
        return reason
    return texts[0] if language == "zh" else texts[1]


_ANSWERS: Mapping[KeyAction, tuple[str, str]] = {
    KeyAction.HEARD: ("已了解", "heard"),
    KeyAction.CONFIRMED: ("确认上门时间", "the time of the visit is confirmed"),
    KeyAction.WANTS_A_PERSON: ("要求人工回电", "wants a person to call"),
    KeyAction.RATED: ("满意度 {} 分", "satisfaction {}"),
    KeyAction.STILL_BROKEN: ("问题还没有解决", "still broken"),
    KeyAction.AGREED: ("愿意约定缴费日期", "agrees to a date"),
    KeyAction.STOP: ("不希望再接到电话", "wants no more calls"),
}


def answer_text(code: str, language: Language = "zh") -> str:
    """What a resident keyed, in words: rated:4 -> 满意度 4 分. What is no code of ours is shown as it is."""
    name, _, rest = code.partition(":")
    try:
        texts = _ANSWERS[KeyAction(name)]
    except ValueError:
        return code
    digit, _, then = rest.partition(":")
    day = (f"：{then} 日" if language == "zh" else f": day {then}") if then else ""
    return texts[0 if language == "zh" else 1].format(digit) + day
