"""From what was said on a call to the draft of its ticket."""

from callcenter.domain.understanding.context import CallContext
from callcenter.domain.understanding.draft import details_to_json, draft_to_json, split, understand, understand_text
from callcenter.domain.understanding.register import EstateRegister
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.rules_files import default_rules
from callcenter.domain.understanding.urgency import Alarm, alarms_in_words

__all__ = [
    "Alarm",
    "CallContext",
    "EstateRegister",
    "Rules",
    "alarms_in_words",
    "default_rules",
    "details_to_json",
    "draft_to_json",
    "split",
    "understand",
    "understand_text",
]
