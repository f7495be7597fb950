"""One call checked by the rules as they stand."""

from collections.abc import Iterator

from callcenter.domain.service_language.conversation import check_conversation, has_times, measures_of
from callcenter.domain.service_language.courtesy import (
    check_closing,
    check_name,
    check_opening,
    check_promises,
    check_repeat,
)
from callcenter.domain.service_language.findings import CheckContext, Finding, LanguageCheck, TalkMeasures
from callcenter.domain.service_language.forbidden import find_forbidden
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.service_language.turns import Turn, turns_of
from callcenter.domain.transcript import Side, Transcript


def check_language(transcript: Transcript, *, rules: LanguageRules, context: CheckContext) -> LanguageCheck | None:
    """None where the agent's words are not apart from the resident's, or there are none: nothing can be said."""
    if not transcript.of_side(Side.AGENT) or transcript.of_side(Side.UNKNOWN):
        return None
    turns = turns_of(transcript, rules.sounds)
    if not any(turn.by_agent for turn in turns):
        return None
    timed = has_times(transcript)
    results = list(_results(turns, rules, context))
    if timed:
        results += check_conversation(transcript, rules.limits, is_complaint=context.is_complaint)
    findings = (*find_forbidden(turns, rules), *(found for _, found in results if found is not None))
    return LanguageCheck(
        rules_version=rules.version,
        findings=tuple(sorted(findings, key=lambda one: (one.start_ms, one.line, one.check))),
        judged=_judged(rules, results, findings),
        measures=measures_of(transcript, rules.limits) if timed else TalkMeasures(),
    )


def _results(
    turns: tuple[Turn, ...], rules: LanguageRules, context: CheckContext
) -> Iterator[tuple[str, Finding | None]]:
    yield from check_opening(turns, rules, context)
    yield from check_closing(turns, rules)
    yield from check_name(turns, context)
    yield from check_repeat(turns, rules)
    yield from check_promises(turns, rules, context)


def _judged(
    rules: LanguageRules, results: list[tuple[str, Finding | None]], findings: tuple[Finding, ...]
) -> dict[str, bool]:
    found = {one.check for one in findings}
    keys = [*(wording.key for wording in rules.never), *(key for key, _ in results)]
    return {key: key not in found for key in keys}
