"""案例库: search, one case, making one of a solved ticket, mending and withdrawing it."""

from collections.abc import Awaitable

from aiohttp import web

from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.understanding.rules_files import default_rules
from callcenter.reports.cases import CasePage, read_case, search_cases
from callcenter.services.cases import (
    LONGEST,
    CaseRefused,
    CaseText,
    NoSuchCase,
    NotSolved,
    StaleCase,
    UnusableCase,
    edit_case,
    make_case,
    withdraw_case,
)
from callcenter.web.errors import BadForm, Conflict, NotAllowed, NotFound
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, LANGUAGE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.names import names
from callcenter.web.visit import Visit, see_other

LONGEST_QUESTION = 200
NOT_SOLVED = N_("工单解决后才能存为案例。")
SEEN_OLD = N_("别人刚改过这个案例。请返回，看过新内容后再改。")
UNUSABLE = {
    "title": N_("请写标题，不超过 100 字。"),
    "problem": N_("请写是什么问题，不超过 2000 字。"),
    "solution": N_("请写怎么解决的，不超过 4000 字。"),
}


async def case_list(request: web.Request, visit: Visit) -> web.StreamResponse:
    q = request.query.get("q", "").strip()[:LONGEST_QUESTION]
    category = request.query.get("category", "")
    library = await search_cases(request.app[DATABASE], q=q, category=category)
    return await render_room(request, visit, "cases.html", room="tickets", library=library, q=q, category=category)


async def case_page(request: web.Request, visit: Visit) -> web.StreamResponse:
    page = await _load(request)
    return await render_room(
        request,
        visit,
        "case.html",
        room="tickets",
        page=page,
        case=page.row,
        longest=LONGEST,
        may_change=_may_change(page, visit),
    )


def _may_change(page: CasePage, visit: Visit) -> bool:
    """Its maker, and supervisors."""
    return visit.is_supervisor or page.row.created_by == visit.user.login


async def make(request: web.Request, visit: Visit) -> web.StreamResponse:
    known = names(request, await everyone(request), visit.catalog)
    try:
        rules = request.app[LANGUAGE].wording.current()
    except RuleFileError:
        rules = default_rules()
    try:
        case_id = await make_case(
            request.app[DATABASE],
            request.match_info["number"],
            actor=visit.user.login,
            now=visit.now,
            rules=rules,
            names=known.by_key.values(),
        )
    except NotSolved as error:
        raise BadForm(NOT_SOLVED) from error
    except CaseRefused as error:
        raise NotFound from error
    await announce(request.app)
    return see_other(f"/cases/{case_id}")


async def edit(request: web.Request, visit: Visit) -> web.StreamResponse:
    page = await _changeable(request, visit)
    text = CaseText(**{name: visit.form.get(name, "").replace("\r\n", "\n") for name in LONGEST})
    await _saved(
        edit_case(
            request.app[DATABASE], page.row.id, text, version=_version(visit), actor=visit.user.login, now=visit.now
        )
    )
    return see_other(f"/cases/{page.row.id}")


async def withdraw(request: web.Request, visit: Visit) -> web.StreamResponse:
    page = await _changeable(request, visit)
    await _saved(
        withdraw_case(
            request.app[DATABASE],
            page.row.id,
            version=_version(visit),
            withdrawn=visit.form.get("back") != "1",
            actor=visit.user.login,
            now=visit.now,
        )
    )
    return see_other(f"/cases/{page.row.id}")


async def _changeable(request: web.Request, visit: Visit) -> CasePage:
    page = await _load(request)
    if not _may_change(page, visit):
        raise NotAllowed(N_("只有建这个案例的人和主管能改。"))
    return page


async def _saved(saving: Awaitable[None]) -> None:
    try:
        await saving
    except StaleCase as error:
        raise Conflict(SEEN_OLD) from error
    except UnusableCase as error:
        raise BadForm(UNUSABLE[error.part]) from error
    except NoSuchCase as error:
        raise NotFound from error


def _version(visit: Visit) -> int:
    written = visit.form.get("version", "")
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise BadForm
    return int(written)


async def _load(request: web.Request) -> CasePage:
    page = await read_case(request.app[DATABASE], int(request.match_info["case"]))
    if page is None:
        raise NotFound
    return page
