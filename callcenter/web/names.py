"""What people and machines are called on a page."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from callcenter.domain.calls import FALLBACK_AGENT
from callcenter.reports.people import Person
from callcenter.web.keys import SETTINGS
from callcenter.web.language import N_, Catalog

SYSTEM, FALLBACK = N_("系统"), N_("备用号码")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Turns a login or an agent's id into the name that people know."""

    by_key: Mapping[str, str]
    catalog: Catalog

    def __call__(self, key: str | None) -> str:
        if not key:
            return ""
        return self.catalog.gettext(SYSTEM) if key == "system" else self.by_key.get(key, key)


def names(request: web.Request, known: tuple[Person, ...], catalog: Catalog) -> Names:
    by_key = {FALLBACK_AGENT: catalog.gettext(FALLBACK)}
    by_key |= {agent.id: agent.name for agent in request.app[SETTINGS].agents}
    by_key |= {one.agent_id: one.name for one in known if one.agent_id}
    by_key |= {one.login: one.name for one in known}
    return Names(by_key=by_key, catalog=catalog)
