"""Two tickets about the same thing made one, that undone; a call, or one of several problems, given its own ticket."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from callcenter.services.merge_tickets import MergeRefused, merge_tickets, undo_merge
from callcenter.services.problem_ticket import ProblemRefused, make_ticket_of_problem
from callcenter.services.split_ticket import SplitRefused, split_ticket
from callcenter.services.tickets import Change, NoSuchTicket
from callcenter.web.errors import BadForm
from callcenter.web.keys import DATABASE
from callcenter.web.language import N_
from callcenter.web.pages.ticket_changes import saved
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit

NO_MERGE = N_("这两张工单不能合并：须是同一户，都没有办结，也都没有合并过。")
NO_UNDO = N_("这次合并不能撤销：对方工单后来又合并了，请先撤销那一次。")
NO_SPLIT = N_("这通来电不能拆出：首次来电留在原工单，已拆出的不能再拆。")
NO_PROBLEM = N_("不能另建：这张工单本身就是这件事，或者已经另建过，或者工单已并入别的工单。")
NO_SUCH_NUMBER = N_("没有这个编号的工单，请核对后再填。")


async def merge(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Closes this ticket as a duplicate and shows the one that goes on."""
    into = visit.form.get("into", "").strip().upper()

    async def join(change: Change) -> object:
        return await merge_tickets(request.app[DATABASE], change, into=into, rules=rules_of(request))

    return await saved(request, visit, _told(join, NO_MERGE, other=into), next_page=f"/tickets/{into}")


async def unmerge(request: web.Request, visit: Visit) -> web.StreamResponse:
    async def undo(change: Change) -> object:
        return await undo_merge(request.app[DATABASE], change, rules=rules_of(request))

    return await saved(request, visit, _told(undo, NO_UNDO))


async def split(request: web.Request, visit: Visit) -> web.StreamResponse:
    call_id = visit.form.get("call", "")

    async def take_out(change: Change) -> object:
        return await split_ticket(request.app[DATABASE], change, call_id=call_id, rules=rules_of(request))

    return await saved(request, visit, _told(take_out, NO_SPLIT))


async def make_own(request: web.Request, visit: Visit) -> web.StreamResponse:
    """One of several problems of a call becomes a ticket of its own."""
    field = request.match_info["field"]

    async def make(change: Change) -> object:
        return await make_ticket_of_problem(request.app[DATABASE], change, field=field, rules=rules_of(request))

    return await saved(request, visit, _told(make, NO_PROBLEM))


def _told(
    save: Callable[[Change], Awaitable[object]], refusal: str, *, other: str = ""
) -> Callable[[Change], Awaitable[object]]:
    """A refusal in the reader's words: what was not possible, and what is."""

    async def told(change: Change) -> object:
        try:
            return await save(change)
        except (MergeRefused, SplitRefused, ProblemRefused) as error:
            raise BadForm(refusal) from error
        except NoSuchTicket as error:
            if other and other != change.number:
                raise BadForm(NO_SUCH_NUMBER) from error
            raise

    return told
