"""The rule files: categories and words, urgency, danger, service language; tried as they are edited, then in force."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from callcenter.domain.rule_file import LONGEST_FILE, RuleFileError
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.services.rule_texts import (
    NAMES,
    CannotSaveRules,
    NoRuleTextBefore,
    RuleText,
    RuleTextChanged,
    RuleTexts,
)
from callcenter.services.try_language_rules import RulesTried, try_rules
from callcenter.services.users import record_look
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.frame import render_room
from callcenter.web.keys import DATABASE, LANGUAGE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.service_language import check_words
from callcenter.web.visit import Visit, see_other

LARGEST_BYTES = 3 * LONGEST_FILE
"""As a form writes it: a Chinese letter is nine bytes there, three in the file."""

TRIED_OVER = timedelta(days=30)

TITLES: Mapping[str, tuple[str, str]] = {
    "categories": (N_("类别和词语"), N_("工单的服务类别：中英文名称，说到哪些词算哪一类。")),
    "request_types": (N_("诉求种类"), N_("报修、投诉、咨询、表扬、建议各怎么说。")),
    "urgency": (N_("紧急程度"), N_("哪些话算急修、算加急。")),
    "danger": (N_("险情"), N_("困人、燃气、冒烟、漏电……通话里一说就报警。")),
    "surnames": (N_("姓氏"), N_("称呼里认得的姓，复姓。")),
    "dialects": (N_("方言"), N_("听到哪些词就提醒：这通可能是方言，请人听。")),
    "service_language": (N_("服务用语"), N_("客服禁语、开场、结束语、承诺时间怎么算说过。")),
}
CHANGED_MEANWHILE = N_("没有保存：别人刚改过这个文件。您写的还在下面，看过之后再存一次，就用您的。")
NO_EARLIER = N_("没有上一版可以换回。")
CANNOT_SAVE = N_("没有保存：写不进规则文件夹。请检查磁盘空间和文件夹的权限。")
DO_NOT_FIT = N_("上一版现在不能用了：它和别的规则文件合不上。请打开看错在哪里。")


def _texts(request: web.Request) -> RuleTexts:
    return RuleTexts(request.app[SETTINGS].rules_dir)


async def rules(request: web.Request, visit: Visit) -> web.StreamResponse:
    texts = _texts(request)
    found = await asyncio.to_thread(lambda: [texts.read(name) for name in NAMES])
    return await render_room(
        request, visit, "admin_rules.html", room="admin", texts=found, titles=TITLES, folder=texts.folder
    )


async def rule(request: web.Request, visit: Visit) -> web.StreamResponse:
    return await _show(request, visit, await _read(request))


async def change(request: web.Request, visit: Visit) -> web.StreamResponse:
    """`do`: try, save, earlier or built_in."""
    texts, name, deed = _texts(request), _name(request), visit.form.get("do", "")
    text = visit.form.get("text", "").replace("\r\n", "\n")
    try:
        if deed == "try":
            tried = await asyncio.to_thread(texts.tried, name, text)
            return await _show(request, visit, await _read(request), text=text, tried=tried)
        if deed == "save":
            now = await asyncio.to_thread(texts.save, name, text, seen=visit.form.get("version", ""))
        elif deed == "earlier":
            now = await asyncio.to_thread(texts.use_earlier, name)
        elif deed == "built_in":
            now = await asyncio.to_thread(texts.use_built_in, name)
        else:
            raise BadForm
    except RuleFileError as error:
        if deed not in ("save", "try"):
            raise BadForm(DO_NOT_FIT) from error
        return await _show(request, visit, await _read(request), text=text, wrong=error, status=400)
    except RuleTextChanged:
        said = visit.catalog.gettext(CHANGED_MEANWHILE)
        return await _show(request, visit, await _read(request), text=text, said=said, status=409)
    except NoRuleTextBefore as error:
        raise BadForm(NO_EARLIER) from error
    except CannotSaveRules as error:
        said = f"{visit.catalog.gettext(CANNOT_SAVE)} {error}"
        return await _show(request, visit, await _read(request), text=text or None, said=said, status=500)
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="rules_changed",
        subject=f"rules:{name}",
        data={"how": deed, "version": now.version},
        now=visit.now,
    )
    return see_other(f"{request.path}?saved=1")


def _name(request: web.Request) -> str:
    name = request.match_info["name"]
    if name not in NAMES:
        raise NotFound
    return name


async def _read(request: web.Request) -> RuleText:
    return await asyncio.to_thread(_texts(request).read, _name(request))


async def _show(
    request: web.Request,
    visit: Visit,
    found: RuleText,
    *,
    text: str | None = None,
    tried: object = None,
    wrong: RuleFileError | None = None,
    said: str = "",
    status: int = 200,
) -> web.StreamResponse:
    """`text`: as somebody has edited it, where it is not saved."""
    shown, problem = found.text if text is None else text, wrong or (found.problem if text is None else None)
    lines = shown.split("\n")
    line = problem.line if problem and problem.line and problem.line <= len(lines) else None
    rules, compared = request.app[LANGUAGE].rules(), None
    if isinstance(tried, LanguageRules):
        compared = await _compared(request, visit, tried)
    return await render_room(
        request,
        visit,
        "admin_rule.html",
        room="admin",
        status=status,
        found=found,
        title=TITLES[found.name],
        text=shown,
        was_tried=tried is not None,
        compared=compared,
        words_of=lambda key: check_words(key, rules, visit),
        problem=problem,
        line=line,
        wrong_line=lines[line - 1][:200] if line else "",
        said=said,
        was_saved="saved" in request.query,
    )


async def _compared(request: web.Request, visit: Visit, tried: LanguageRules) -> RulesTried:
    since = visit.now - TRIED_OVER
    return await try_rules(request.app[DATABASE], request.app[LANGUAGE], tried, since=since, until=visit.now)
