"""The rules of following up that the console's pages go by."""

from aiohttp import web

from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.web.keys import SETTINGS


def rules_of(request: web.Request) -> FollowUpRules:
    settings = request.app[SETTINGS]
    return follow_up_rules(settings.follow_up, settings.calendar, settings.console, settings.agents)
