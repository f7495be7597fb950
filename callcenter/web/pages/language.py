"""语言质检: agents' weeks, what is found how often, what waits for a decision; and what is said about a finding."""

from typing import Any
from urllib.parse import quote

from aiohttp import web

from callcenter.db.users import Role
from callcenter.domain.figures_table import rounded
from callcenter.domain.language_scores import WeekScore
from callcenter.reports.call_page import read_call
from callcenter.reports.language import FoundOnCall, LanguageReport, language_report
from callcenter.reports.language_counts import KindCount
from callcenter.services.correct_transcript import LineTooLong, NoSuchSegment, correct_segment
from callcenter.services.language_findings import (
    AlreadyDecided,
    FindingRefused,
    NoReason,
    NotTheirCall,
    Opinion,
    contest_finding,
    decide_finding,
)
from callcenter.web.errors import BadForm, NotAllowed, NotFound
from callcenter.web.exports import tables_file
from callcenter.web.frame import everyone, render_room
from callcenter.web.keys import DATABASE, LANGUAGE
from callcenter.web.language import N_
from callcenter.web.live import announce
from callcenter.web.names import Names, names
from callcenter.web.pages.calls import OWN_ONLY, may_see
from callcenter.web.service_language import FindingView, check_words, finding_view
from callcenter.web.visit import Visit, see_other

WEEKS = (4, 8, 13, 26)
USUAL_WEEKS = 8
NOBODY = "-"
"""Stands for no agent in a question, so that a user without a phone sees nobody's calls."""

THEIRS = N_("只有接听这通电话的客服能提异议。")
DECIDED = N_("主管已经判定过，不能再提异议。")
NO_REASON = N_("请写明理由，不超过 500 字。")
NO_LINE = N_("请选一句，改成实际说的话，不超过 2000 字。")


async def overview(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A supervisor sees everybody, an agent themselves."""
    weeks, kind = _asked_weeks(request), request.query.get("kind", "")
    rules = request.app[LANGUAGE].rules()
    found = await _read(request, visit, weeks, kind)
    known = await everyone(request)
    return await render_room(
        request,
        visit,
        "language.html",
        room="answering" if visit.is_supervisor else "tickets",
        known=known,
        found=found,
        weeks=weeks,
        choices=WEEKS,
        kind=kind,
        agents=_by_name(found, names(request, known, visit.catalog)),
        words_of=lambda key: check_words(key, rules, visit),
        view=lambda one: _view(request, visit, one),
    )


def _asked_weeks(request: web.Request) -> int:
    asked = request.query.get("weeks", "")
    return int(asked) if asked in map(str, WEEKS) else USUAL_WEEKS


async def _read(request: web.Request, visit: Visit, weeks: int, kind: str = "") -> LanguageReport:
    return await language_report(
        request.app[DATABASE],
        weeks=weeks,
        now=visit.now,
        zone=visit.zone,
        agent_id=None if visit.is_supervisor else visit.user.agent_id or NOBODY,
        kind=kind,
    )


async def exported(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Agents' weeks and checks as a file: csv (`by` weeks or checks), xlsx or json."""
    weeks = _asked_weeks(request)
    found = await _read(request, visit, weeks)
    named, rules = names(request, await everyone(request), visit.catalog), request.app[LANGUAGE].rules()
    tables = {
        "weeks": [
            {"agent": agent or None, "name": named(agent), **_week(one)}
            for agent, scores in sorted(found.agents.items())
            for one in scores
            if one.calls
        ],
        "checks": [{**check_row(one), "check": check_words(one.kind, rules, visit)} for one in found.kinds],
    }
    name = f"language-{found.weeks[0]:%Y-%m-%d}-{weeks}w"
    by = request.query.get("by", "weeks")
    return await tables_file(request.match_info["kind"], tables, name, by=by, head={"calls": found.calls})


def _week(score: WeekScore) -> dict[str, Any]:
    return {
        "monday": score.monday.isoformat(),
        "calls": score.calls,
        "passed": score.passed,
        "judged": score.judged,
        "share": rounded(score.share),
        "low": rounded(score.low),
        "high": rounded(score.high),
        "change": score.change,
    }


def check_row(one: KindCount) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "judged": one.judged,
        "found": one.found,
        "share": rounded(one.share),
        "overturned": one.overturned,
    }


def _view(request: web.Request, visit: Visit, one: FoundOnCall) -> FindingView:
    return finding_view(one.finding, request.app[LANGUAGE].rules(), visit, answered_by=one.call.answered_by)


def _by_name(found: LanguageReport, named: Names) -> list[tuple[str, tuple[WeekScore, ...]]]:
    """In the order of the names: by no figure, so that nobody is ranked."""
    return sorted(((named(agent), weeks) for agent, weeks in found.agents.items()), key=lambda pair: pair[0])


async def contest(request: web.Request, visit: Visit) -> web.StreamResponse:
    await _said(request, visit, None)
    return _back(request)


async def decide(request: web.Request, visit: Visit) -> web.StreamResponse:
    if visit.user.role not in (Role.SUPERVISOR, Role.ADMIN):
        raise NotAllowed
    verdict = visit.form.get("verdict", "")
    if verdict not in ("upheld", "overturned"):
        raise BadForm
    await _said(request, visit, verdict)
    return _back(request)


async def _said(request: web.Request, visit: Visit, verdict: str | None) -> None:
    opinion = Opinion(
        call_id=request.match_info["call_id"],
        finding_id=int(request.match_info["finding"]),
        login=visit.user.login,
        agent_id=visit.user.agent_id,
        reason=visit.form.get("reason", ""),
        now=visit.now,
    )
    try:
        if verdict is None:
            await contest_finding(request.app[DATABASE], opinion)
        else:
            await decide_finding(request.app[DATABASE], opinion, upheld=verdict == "upheld")
    except NotTheirCall as error:
        raise NotAllowed(THEIRS) from error
    except AlreadyDecided as error:
        raise BadForm(DECIDED) from error
    except NoReason as error:
        raise BadForm(NO_REASON) from error
    except FindingRefused as error:
        raise NotFound from error
    await announce(request.app)


async def correct_words(request: web.Request, visit: Visit) -> web.StreamResponse:
    """What was really said: the transcript keeps both, and the call is checked again."""
    call_id = request.match_info["call_id"]
    found = await read_call(request.app[DATABASE], call_id)
    if found is None:
        raise NotFound
    if not may_see(found, visit):
        raise NotAllowed(OWN_ONLY)
    recording, number = found.recorded.recording, visit.form.get("segment", "")
    if recording is None or not (number.isascii() and number.isdigit() and len(number) < 7):
        raise BadForm(NO_LINE)
    try:
        await correct_segment(
            request.app[DATABASE],
            request.app[LANGUAGE],
            call_id=call_id,
            recording_id=recording.id,
            number=int(number),
            text=visit.form.get("text", ""),
            login=visit.user.login,
            now=visit.now,
        )
    except (NoSuchSegment, LineTooLong) as error:
        raise BadForm(NO_LINE) from error
    await announce(request.app)
    return _back(request)


def _back(request: web.Request) -> web.StreamResponse:
    return see_other(f"/calls/{quote(request.match_info['call_id'], safe='')}#q1")
