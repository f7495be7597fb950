"""What was said on a call, read by the rules as they stand now: the draft of its ticket."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import structlog

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.tickets import Found, RequestType, TicketDraft
from callcenter.domain.transcript import Transcript
from callcenter.domain.understanding import CallContext, Rules, understand
from callcenter.domain.understanding.rules_files import RuleFolder, default_rules
from callcenter.domain.word_list import with_words
from callcenter.services.register import KnownRegister

log = structlog.get_logger()

MENU_CONFIDENCE = 0.7


@dataclass(frozen=True, kw_only=True)
class CallReader:
    """Reads transcripts into drafts; register and rules are looked up anew for each call."""

    zone: ZoneInfo
    register: KnownRegister = field(default_factory=KnownRegister)
    wording: RuleFolder = field(default_factory=RuleFolder)
    area_code: str | None = None
    menu_choices: Mapping[str, RequestType] = field(default_factory=dict)
    own_words: tuple[str, ...] = ()
    """Names and terms of the operator's word list, longest first."""

    async def draft(self, database: Database, call: CallRow, transcript: Transcript) -> TicketDraft:
        heard_at = (call.answered_at or call.started_at).astimezone(self.zone)
        register = await self.register.current(database)
        context = CallContext(
            heard_at=heard_at, caller_number=call.from_number, area_code=self.area_code, register=register
        )
        rules = await asyncio.to_thread(self.rules)
        transcript = await asyncio.to_thread(with_words, transcript, self.own_words)
        draft = await asyncio.to_thread(understand, transcript, context=context, rules=rules)
        return with_menu_choice(draft, call.keys, self.menu_choices)

    def rules(self) -> Rules:
        """The rules as they stand now; a mistake in an operator's file never stops a ticket."""
        try:
            rules = self.wording.current()
        except RuleFileError:
            rules = default_rules()
        if self.wording.problem is not None:
            log.error("rule file not taken; going on with the rules before it", problem=str(self.wording.problem))
        return rules


def with_menu_choice(
    draft: TicketDraft, keys: Sequence[Sequence[str]], choices: Mapping[str, RequestType]
) -> TicketDraft:
    """Where the words do not say what it is about, the key that the resident pressed in the menu does."""
    chosen = next((choices[digits] for purpose, digits in keys if purpose == "menu" and digits in choices), None)
    if draft.request_type is not None or chosen is None:
        return draft
    return replace(draft, request_type=Found(value=chosen, confidence=MENU_CONFIDENCE))
