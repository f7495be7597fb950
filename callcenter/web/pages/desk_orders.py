"""What agents and supervisors do to a call that goes on: hold, pass on, join, pause the recording, listen in."""

from typing import Any

from aiohttp import web

from callcenter.config import Settings
from callcenter.domain.agent_states import Doing
from callcenter.domain.call_orders import NAMES_SOMEBODY, SUPERVISION, CallOrder, OrderKind, Party, TalkStanding
from callcenter.domain.phone_numbers import dialable
from callcenter.ports import OrderRefused
from callcenter.reports.call_page import CallPage, read_call
from callcenter.web.auth import page_of_ours
from callcenter.web.errors import BadForm, Conflict, NotAllowed, NotFound
from callcenter.web.keys import CONTROLS, DATABASE, DUTY, SETTINGS
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.pages.agent_state import NO_PHONE
from callcenter.web.visit import Visit, see_other

NO_SUCH_ORDER = N_("没有这种操作，请重新选择。")
NOT_YOUR_CALL = N_("只有正在通话的客服和主管能这样做。")
SUPERVISORS_ONLY = N_("只有主管能监听、耳语和插话。")
NOBODY_NAMED = N_("请选择同事或部门，或者写完整的电话号码。")
REFUSED = {
    "no_such_call": N_("这通电话已经结束，或者交换机连不上。"),
    "not_talking": N_("还没有接通，现在不能这样做。"),
    "not_possible": N_("通话现在的状态不能这样做。请看最新状态再试。"),
    "not_offered": N_("这条线路做不到。请在话机上操作。"),
    "unreachable": N_("对方正在通话或者话机没有登记，没有呼叫。"),
    "supervised": N_("已有主管在这通电话上。"),
}
FAILED = N_("交换机没有做到，通话没有变。请再试一次。")


class OrderNotCarriedOut(Conflict):
    """The line said no; the call goes on as it was."""

    title = N_("没有做到")


async def order(request: web.Request, visit: Visit) -> web.StreamResponse:
    """`order` names what is to be done, `to` or `number` who is rung for it."""
    call_id = request.match_info["call_id"]
    found = await read_call(request.app[DATABASE], call_id)
    if found is None:
        raise NotFound
    wanted = visit.form.get("order", "")
    if wanted not in set(OrderKind):
        raise BadForm(NO_SUCH_ORDER)
    kind = OrderKind(wanted)
    _check_role(request, visit, call_id, kind)
    order = CallOrder(kind=kind, actor=visit.user.login, party=_party(request, visit, kind))
    try:
        await request.app[CONTROLS].carry_out(call_id, order)
    except OrderRefused as refused:
        raise OrderNotCarriedOut(REFUSED.get(refused.why, FAILED)) from refused
    await announce(request.app)
    return see_other(page_of_ours(visit.form.get("back", "") or f"/desk/calls/{call_id}"))


def _check_role(request: web.Request, visit: Visit, call_id: str, kind: OrderKind) -> None:
    """Raises NotAllowed."""
    if visit.is_supervisor:
        return
    if kind in SUPERVISION:
        raise NotAllowed(SUPERVISORS_ONLY)
    if not talks_on(request, visit, call_id):
        raise NotAllowed(NOT_YOUR_CALL)


def talks_on(request: web.Request, visit: Visit, call_id: str) -> bool:
    now = request.app[DUTY].doing(visit.user.agent_id or "")
    return now is not None and now.doing is Doing.TALKING and now.call_id == call_id


def _party(request: web.Request, visit: Visit, kind: OrderKind) -> Party | None:
    """Raises BadForm."""
    settings = request.app[SETTINGS]
    if kind in SUPERVISION:
        own = next((one for one in _agents(settings) if one.id == visit.user.agent_id), None)
        if own is None and kind is not OrderKind.LEAVE:
            raise BadForm(NO_PHONE)
        return own
    if kind not in NAMES_SOMEBODY:
        return None
    number = visit.form.get("number", "").strip()
    if number:
        dialled = dialable(number)
        if dialled is None:
            raise BadForm(NOBODY_NAMED)
        return Party(id=dialled.removeprefix("+"), name=dialled, phone=dialled, must_confirm=False)
    to = visit.form.get("to", "")
    found = next((one for one in parties(settings, but=visit.user.agent_id) if one.id == to), None)
    if found is None:
        raise BadForm(NOBODY_NAMED)
    return found


def parties(settings: Settings, *, but: str | None) -> list[Party]:
    """Whom a resident can be passed on to: colleagues, then departments."""
    departments = [Party(id=one.id, name=one.name, phone=one.phone) for one in settings.departments]
    return [one for one in _agents(settings) if one.id != but] + departments


def _agents(settings: Settings) -> list[Party]:
    return [Party(id=one.id, name=one.name, phone=one.phone, must_confirm=one.is_outside) for one in settings.agents]


def orders_context(request: web.Request, visit: Visit, found: CallPage) -> dict[str, Any]:
    """What the desk shows of it: what can be asked for now by this reader, and how the conversation stands."""
    call, controls = found.recorded.call, request.app[CONTROLS]
    possible: frozenset[OrderKind] = frozenset()
    if call.answered_at is not None and call.ended_at is None:
        possible = controls.possible(call.id)
        if not visit.is_supervisor:
            possible = possible - SUPERVISION if talks_on(request, visit, call.id) else frozenset()
    duty = request.app[DUTY]
    return {
        "orders": {one.value for one in possible},
        "standing": controls.standing(call.id) or TalkStanding(),
        "parties": [
            (one, visit.labels("doing", now.doing) if (now := duty.doing(one.id)) is not None else "")
            for one in parties(request.app[SETTINGS], but=visit.user.agent_id)
        ],
    }
