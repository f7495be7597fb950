"""Service language (语言质检): what the agent's side of a call is checked for. Pure, and its rules are data."""

from callcenter.domain.service_language.checking import check_language
from callcenter.domain.service_language.findings import CheckContext, Finding, LanguageCheck, TalkMeasures
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.service_language.rules_file import LanguageRuleFile, default_language_rules, language_rules

__all__ = [
    "CheckContext",
    "Finding",
    "LanguageCheck",
    "LanguageRuleFile",
    "LanguageRules",
    "TalkMeasures",
    "check_language",
    "default_language_rules",
    "language_rules",
]
