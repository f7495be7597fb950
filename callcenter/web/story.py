"""What became of a call, in one line: 孙磊拒听 → 李佳接."""

from callcenter.domain.calls import FALLBACK_AGENT, LegOutcome
from callcenter.domain.rings import Disposition
from callcenter.reports.answering import AnsweredCall
from callcenter.web.language import N_
from callcenter.web.names import Names
from callcenter.web.rendering import Reader

FAULTS = {
    LegOutcome.REFUSED: N_("%(name)s拒听"),
    LegOutcome.RANG_OUT: N_("%(name)s响完未接"),
    LegOutcome.NOT_CONFIRMED: N_("%(name)s未按键确认"),
    LegOutcome.BUSY: N_("%(name)s忙"),
    LegOutcome.UNREACHABLE: N_("%(name)s接不通"),
}
ENDINGS = {
    Disposition.VOICE_MAIL: N_("转语音信箱"),
    Disposition.ABANDONED: N_("住户挂断"),
    Disposition.RANG_OUT: N_("无人接听"),
    Disposition.REFUSED: N_("无人接听"),
    Disposition.UNKNOWN: N_("结果不明"),
}


def story(noted: AnsweredCall, reader: Reader, named: Names) -> str:
    say = reader.catalog.gettext
    steps = [
        say(FAULTS[LegOutcome(leg.outcome)], name=named(leg.agent) or leg.number or "–")
        for leg in noted.legs
        if leg.outcome in set(FAULTS)
    ]
    call = noted.call
    if call.disposition == Disposition.ANSWERED:
        flowed_out = call.answered_by == FALLBACK_AGENT
        steps.append(say("流出到备用号码") if flowed_out else say("%(name)s接", name=named(call.answered_by)))
    elif Disposition(call.disposition) in ENDINGS:
        steps.append(say(ENDINGS[Disposition(call.disposition)]))
    told = " → ".join(steps)
    return told + say("，只有整秒时钟") if call.verdict == "undecided" else told
