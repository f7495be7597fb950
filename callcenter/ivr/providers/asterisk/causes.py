"""How a leg ended, from what the signalling says: the cause, the technical cause (a SIP status), whether it rang.

Measured on Asterisk 22: 486 = cause 17, 603 = 21, 404 = 1, 480 = 19, 503 = 34; our own time-out = 19 with RINGING seen;
a caller who leaves = 127 with 487; a leg ended because another answered = 26. The dial status alone says less.
"""

from dataclasses import dataclass

from callcenter.domain.calls import EndReason

BUSY_CODES = frozenset({486, 600})
DECLINED = 603
CANCELLED_CODE = 487
NOT_FOUND_CODES = frozenset({404, 410, 484, 604})
NO_ANSWER_CODES = frozenset({408, 480})
BY_CAUSE = {1: 404, 3: 404, 17: 486, 21: 603, 22: 410, 28: 484}
"""Where no SIP status came along (a trunk of another kind), the one that means the same."""
ANSWERED_ELSEWHERE = 26
NO_ANSWER_CAUSES = frozenset({18, 19})


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    reason: EndReason
    sip_code: int | None = None


def unanswered(cause: int | None, tech_cause: int | None, *, rang: bool) -> Ending:
    """The end of a leg that nobody answered and that we did not hang up ourselves."""
    code = tech_cause if tech_cause and 300 <= tech_cause < 700 else BY_CAUSE.get(cause or 0)
    if code in BUSY_CODES or code == DECLINED:
        return Ending(reason=EndReason.BUSY, sip_code=code)
    if code in NOT_FOUND_CODES:
        return Ending(reason=EndReason.FAILED, sip_code=code)
    if cause == ANSWERED_ELSEWHERE:
        return Ending(reason=EndReason.CANCELLED, sip_code=code)
    if rang and (code in NO_ANSWER_CODES or code == CANCELLED_CODE or cause in NO_ANSWER_CAUSES):
        return Ending(reason=EndReason.NO_ANSWER, sip_code=code)
    if code == CANCELLED_CODE:
        return Ending(reason=EndReason.CANCELLED, sip_code=code)
    return Ending(reason=EndReason.FAILED, sip_code=code)
