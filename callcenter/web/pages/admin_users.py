"""Who may use the console: adding people, what they may, keeping them out, a new password."""

from aiohttp import web

from callcenter.db.users import Role
from callcenter.services.users import (
    MINIMUM_PASSWORD_LENGTH,
    LastAdministrator,
    LoginTaken,
    UnknownLogin,
    UserRefused,
    WeakPassword,
    add_user,
    change_password,
    change_user,
    list_users,
    set_disabled,
)
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.visit import Visit, see_other

LONGEST_LOGIN = 40
REFUSED: dict[type[UserRefused], str] = {
    WeakPassword: N_("密码至少 10 个字符，也不能就是用户名。没有保存。"),
    LoginTaken: N_("这个用户名已经有人用了。请换一个。"),
    LastAdministrator: N_("这是最后一位管理员。请先让另一个人当管理员。"),
}
NO_LOGIN = N_("用户名和姓名都要填，用户名里不能有空格。")
NO_SUCH_AGENT = N_("没有这个客服，请重新选择。")


async def users(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await render_room(
        request,
        visit,
        "admin_users.html",
        room="admin",
        users=await list_users(request.app[DATABASE]),
        roles=[(role.value, visit.labels("role", role)) for role in Role],
        agents=[(agent.id, agent.name) for agent in request.app[SETTINGS].agents],
        shortest=MINIMUM_PASSWORD_LENGTH,
        was_saved="saved" in request.query,
    )


async def add(request: web.Request, visit: Visit) -> web.StreamResponse:
    form = visit.form
    login, name = form.get("login", "").strip(), form.get("name", "").strip()
    if not login or not name or len(login) > LONGEST_LOGIN or any(char.isspace() for char in login):
        raise BadForm(NO_LOGIN)
    try:
        await add_user(
            request.app[DATABASE],
            login=login,
            name=name[:60],
            role=form.get("role", ""),
            password=form.get("password", ""),
            agent_id=_agent(request, form.get("agent", "")),
            now=visit.now,
            actor=visit.user.login,
        )
    except UserRefused as error:
        raise BadForm(REFUSED.get(type(error))) from error
    return see_other("/admin/users?saved=1")


async def change(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Name, role and phone; or, by the button pressed, keeping out, letting in, a new password."""
    login, form, database = request.match_info["login"], visit.form, request.app[DATABASE]
    try:
        match form.get("do", ""):
            case "disable" | "enable" as what:
                await set_disabled(
                    database, login=login, disabled=what == "disable", now=visit.now, actor=visit.user.login
                )
            case "password":
                password = form.get("password", "")
                await change_password(database, login=login, password=password, now=visit.now, actor=visit.user.login)
            case "save":
                await change_user(
                    database,
                    login=login,
                    name=form.get("name", "").strip()[:60],
                    role=form.get("role", ""),
                    agent_id=_agent(request, form.get("agent", "")),
                    now=visit.now,
                    actor=visit.user.login,
                )
            case _:
                raise BadForm
    except UnknownLogin as error:
        raise NotFound from error
    except UserRefused as error:
        raise BadForm(REFUSED.get(type(error))) from error
    return see_other("/admin/users?saved=1")


def _agent(request: web.Request, agent_id: str) -> str | None:
    if not agent_id:
        return None
    if request.app[SETTINGS].agent(agent_id) is None:
        raise BadForm(NO_SUCH_AGENT)
    return agent_id
