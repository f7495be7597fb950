"""What an agent can send or say to the resident of a ticket: the reply templates, filled in, and their gaps."""

from dataclasses import dataclass, replace

from aiohttp import web

from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.reply_texts import reply_texts
from callcenter.services.tickets import NoSuchTicket
from callcenter.web.errors import NotFound
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.names import Names
from callcenter.web.owed import language_of
from callcenter.web.rendering import Reader


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyView:
    """One template: `gaps` stand in the text, in brackets, for what the ticket does not know."""

    name: str
    label: str
    text: str
    gaps: tuple[str, ...]


async def replies_to(
    request: web.Request, number: str, *, reader: Reader, named: Names, rules: FollowUpRules
) -> tuple[ReplyView, ...]:
    """Raises NotFound."""
    own = request.app[SETTINGS].console.reply_templates
    known = replace(rules, agent_names=named.by_key)
    try:
        found = await reply_texts(request.app[DATABASE], number, now=reader.now, own=own, rules=known)
    except NoSuchTicket as error:
        raise NotFound from error
    return tuple(
        ReplyView(
            name=template.name,
            label=template.label_zh if language_of(reader) == "zh" else template.label_en,
            text=filled.text,
            gaps=tuple(gap.strip("（）") for gap in filled.gaps),
        )
        for template, filled in found
    )
