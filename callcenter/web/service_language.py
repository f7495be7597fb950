"""Findings of service language in words: what was found, where in the recording, and how it stands."""

from dataclasses import dataclass

from callcenter.db.language import LanguageFindingRow
from callcenter.domain.service_language.findings import MEASURE_LABELS, MISSING
from callcenter.domain.service_language.rules import Label, LanguageRules
from callcenter.web.language import N_
from callcenter.web.visit import Visit

STANDINGS = {
    "found": ("late", N_("待听")),
    "contested": ("und", N_("客服有异议，待主管判定")),
    "upheld": ("bad", N_("主管判定：成立")),
    "overturned": ("ok", N_("主管判定：不算")),
    "gone": ("none", N_("改字或改规则后不再命中")),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FindingView:
    """One finding as the page shows it; `mark` and `standing` are its state in shape and words."""

    row: LanguageFindingRow
    title: str
    quote: str
    mark: str
    standing: str
    can_contest: bool
    can_decide: bool


def finding_view(
    row: LanguageFindingRow, rules: LanguageRules, visit: Visit, *, answered_by: str | None
) -> FindingView:
    mark, words = STANDINGS[standing_of(row)]
    own = answered_by is not None and visit.user.agent_id == answered_by
    return FindingView(
        row=row,
        title=_title(row, rules, visit),
        quote=row.words,
        mark=mark,
        standing=visit.catalog.gettext(words),
        can_contest=own and row.decided_at is None and row.gone_at is None,
        can_decide=visit.is_supervisor,
    )


def standing_of(row: LanguageFindingRow) -> str:
    if row.upheld is not None:
        return "upheld" if row.upheld else "overturned"
    if row.gone_at is not None:
        return "gone"
    return "contested" if row.contested_at is not None else "found"


def check_words(kind: str, rules: LanguageRules, visit: Visit) -> str:
    """The check's name; a kind that the rules in force do not know keeps its key."""
    label: Label | None = rules.labels().get(kind) or MEASURE_LABELS.get(kind)
    if label is None:
        return kind
    return label.en if visit.catalog.language == "en" else label.zh


def _title(row: LanguageFindingRow, rules: LanguageRules, visit: Visit) -> str:
    say, name, amount = visit.catalog.gettext, check_words(row.kind, rules, visit), row.amount or 0
    if row.kind in MISSING:
        return say("没有听到：%(check)s", check=name)
    if row.kind in ("interruption", "silence"):
        return say("%(check)s %(seconds)s 秒", check=name, seconds=f"{amount / 1000:.1f}")
    if row.kind == "listening":
        return say("%(check)s：住户占 %(share)s", check=name, share=f"{amount}%")
    if row.kind == "speaking_rate":
        return say("%(check)s：每分钟 %(letters)s 字", check=name, letters=amount)
    return name
