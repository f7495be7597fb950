"""Why a level is told, in words: the same in the band of alarms and in the history of a ticket."""

from callcenter.domain.escalation import Cause
from callcenter.web.language import N_
from callcenter.web.rendering import Reader

CAUSES = {
    Cause.LIMIT_NEAR: N_("%(what)s期限将到"),
    Cause.LIMIT_PASSED: N_("%(what)s已超期"),
    Cause.EMERGENCY: N_("紧急，%(what)s"),
    Cause.SERIOUS: N_("严重投诉"),
    Cause.NOT_ACKNOWLEDGED: N_("%(what)s多次提醒无人知晓"),
    Cause.ON_CALL_SILENT: N_("值班电话无人应答"),
}


def cause_words(cause: str, what: str, reader: Reader) -> str:
    """`what` is the limit, empty where the matter is none. A cause that is not ours is shown as it is."""
    say = reader.catalog.gettext
    if cause not in set(Cause):
        return cause
    return say(CAUSES[Cause(cause)]) % {"what": say("“%(deadline)s”", deadline=what) if what else say("此事")}
