"""Ready, busy, away, wrapping up: said by the agent in the bar of every page, or by a supervisor for them."""

from aiohttp import web

from callcenter.domain.agent_states import AgentState
from callcenter.services.agent_states import say_state
from callcenter.web.auth import page_of_ours
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.frame import my_state
from callcenter.web.keys import DATABASE, DUTY, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.rendering import render
from callcenter.web.visit import Visit, see_other

NO_SUCH_STATE = N_("没有这种状态，请重新选择。")
NO_PHONE = N_("您的用户没有对应的话机，不会被呼叫。请管理员在用户上写明话机。")


async def set_own(request: web.Request, visit: Visit) -> web.StreamResponse:
    """To a script the bar's part of the page again, to a form the page that it came from."""
    agent = visit.user.agent_id
    if agent is None or request.app[SETTINGS].agent(agent) is None:
        raise BadForm(NO_PHONE)
    await _say(request, visit, agent)
    if request.headers.get("HX-Request"):
        return await own(request, visit)
    return see_other(page_of_ours(visit.form.get("back", "/")))


async def own(request: web.Request, visit: Visit) -> web.StreamResponse:
    return render(request, visit, "parts/me.html", me=my_state(request, visit))


async def set_for(request: web.Request, visit: Visit) -> web.StreamResponse:
    agent = request.match_info["agent"]
    if request.app[SETTINGS].agent(agent) is None:
        raise NotFound
    await _say(request, visit, agent)
    return see_other("/wall")


async def _say(request: web.Request, visit: Visit, agent: str) -> None:
    state = visit.form.get("state", "")
    if state not in set(AgentState):
        raise BadForm(NO_SUCH_STATE)
    await say_state(request.app[DATABASE], agent=agent, state=AgentState(state), actor=visit.user.login, now=visit.now)
    await request.app[DUTY].look()
    await announce(request.app)
