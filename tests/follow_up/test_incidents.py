"""Several homes report the same thing: one incident, shown early; each home keeps its ticket and hears at the end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.incidents import IncidentRow
from callcenter.db.tickets import TicketHistoryRow, TicketRow
from callcenter.domain.ticket_life import TicketStatus
from callcenter.domain.tickets import Place, RequestType
from callcenter.reports.incidents import IncidentPage, list_incidents, read_incident
from callcenter.services import tickets
from callcenter.services.change_incident import (
    IncidentRefused,
    NoSuchIncident,
    StaleIncident,
    add_ticket,
    confirm_incident,
    dismiss_incident,
    remove_ticket,
    reopen_incident,
    restore_incident,
    solve_incident,
)
from callcenter.services.find_incidents import find_incidents
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.known_incidents import KnownIncidents
from callcenter.services.progress_by_phone import ProgressByPhone
from callcenter.services.tickets import Change, NoSuchTicket
from tests.conftest import SetClock
from tests.follow_up.conftest import FarEnd, Opens, Round, heard, inbound, leak, local, reminders

INCIDENT = "SJ-1124-01"

Look = Callable[[], Awaitable[int]]


class Homes:
    """Homes of building 3 that phone about the lift, one after the other, each from a number of its own."""

    def __init__(self, opens: Opens) -> None:
        self.opens, self.count = opens, 0

    async def phone(self, **other: object) -> str:
        self.count += 1
        number = f"+861380000000{self.count}"
        place = Place(building="3", unit="1", room=f"{self.count}01")
        values: dict[str, object] = {
            "categories": (heard("lift"),),
            "place": heard(place),
            "phone": None,
            "summary": heard("电梯停了"),
        }
        call = inbound(f"CA{self.count}", self.opens.clock.now(), from_number=number)
        opened = await self.opens(call, leak(**(values | other)))
        return opened.number


@pytest.fixture
def homes(opens: Opens) -> Homes:
    return Homes(opens)


@pytest.fixture
def look(database: Database, clock: SetClock, rules: FollowUpRules) -> Look:
    return lambda: find_incidents(database, now=clock.now(), rules=rules)


async def page(database: Database, number: str = INCIDENT) -> IncidentPage:
    found = await read_incident(database, number)
    assert found is not None
    return found


async def numbers(database: Database) -> list[str]:
    return [one.ticket.number for one in (await page(database)).linked]


async def seen(database: Database, clock: SetClock) -> Change:
    version = (await page(database)).incident.version
    return Change(number=INCIDENT, version=version, actor="chenmin", now=clock.now())


async def states(database: Database) -> dict[str, str]:
    async with database.read() as session:
        return {
            row.number: row.status for row in (await session.scalars(select(TicketRow).order_by(TicketRow.id))).all()
        }


async def test_two_homes_are_suggested_and_a_third_makes_it_one(
    homes: Homes, look: Look, database: Database, clock: SetClock
) -> None:
    first = await homes.phone()
    assert await look() == 0
    second = await homes.phone()
    assert await look() == 1
    assert (await page(database)).incident.state == "suggested"
    clock.advance(minutes=30)
    third = await homes.phone()
    assert await look() == 1
    found = await page(database)
    assert (found.incident.state, found.incident.building) == ("open", "3")
    assert await numbers(database) == [first, second, third]
    assert set((await states(database)).values()) == {"open"}, "no ticket is merged or closed by it"
    assert await look() == 0
    assert [line.action for line in reversed(found.history)] == [
        *("suggested", "linked", "linked", "linked", "opened"),
    ]
    async with database.read() as session:
        told = (await session.scalars(select(TicketHistoryRow.data).order_by(TicketHistoryRow.id.desc()))).first()
    assert told == {"incident": INCIDENT}


async def test_later_homes_are_linked_while_it_is_open(
    homes: Homes, look: Look, database: Database, clock: SetClock
) -> None:
    for _ in range(3):
        await homes.phone()
    await look()
    clock.advance(hours=7)
    late = await homes.phone()
    await homes.phone(place=heard(Place(building="8", unit="1", room="101")))
    await look()
    assert await numbers(database) == [*(f"GD-1124-000{n}" for n in (1, 2, 3)), late]


async def test_a_corrected_place_moves_the_ticket_out_and_its_suggestion_falls_away(
    homes: Homes, look: Look, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    number = await homes.phone()
    await homes.phone()
    await look()
    change = Change(number=number, version=1, actor="chenmin", now=clock.now())
    await tickets.correct_field(database, change, field="place", value="5栋1单元101", rules=rules)
    await look()
    found = await page(database)
    assert (found.incident.state, len(found.linked), len(found.taken_out)) == ("dismissed", 0, 2)
    again = await homes.phone()
    await look()
    assert [one.ticket.number for one in (await page(database, "SJ-1124-02")).linked] == ["GD-1124-0002", again]


async def test_people_say_it_is_none_and_undo_that(
    homes: Homes, look: Look, database: Database, clock: SetClock
) -> None:
    for _ in range(2):
        await homes.phone()
    await look()
    stale = await seen(database, clock)
    await confirm_incident(database, await seen(database, clock))
    with pytest.raises(StaleIncident):
        await dismiss_incident(database, stale)
    await dismiss_incident(database, await seen(database, clock))
    assert await numbers(database) == []
    assert await look() == 0, "what a person took apart is not brought up again"
    with pytest.raises(IncidentRefused, match="dismissed"):
        await confirm_incident(database, await seen(database, clock))
    await restore_incident(database, await seen(database, clock))
    found = await page(database)
    assert (found.incident.state, len(found.linked)) == ("open", 2)
    with pytest.raises(NoSuchIncident):
        await confirm_incident(database, Change(number="SJ-0101-09", version=1, actor="x", now=clock.now()))


async def test_a_ticket_is_taken_out_and_another_added_by_hand(
    homes: Homes, look: Look, database: Database, clock: SetClock
) -> None:
    for _ in range(3):
        await homes.phone()
    other = await homes.phone(categories=(heard("noise"),))
    await look()
    await remove_ticket(database, await seen(database, clock), ticket="GD-1124-0002")
    assert await look() == 0
    await add_ticket(database, await seen(database, clock), ticket=other)
    assert await look() == 0, "what a person linked is not taken out by the machine"
    assert await numbers(database) == ["GD-1124-0001", "GD-1124-0003", other]
    with pytest.raises(IncidentRefused, match="already"):
        await add_ticket(database, await seen(database, clock), ticket=other)
    with pytest.raises(NoSuchTicket):
        await add_ticket(database, await seen(database, clock), ticket="GD-1124-0099")
    with pytest.raises(NoSuchTicket):
        await remove_ticket(database, await seen(database, clock), ticket="GD-1124-0002")
    await add_ticket(database, await seen(database, clock), ticket="GD-1124-0002")
    assert len(await numbers(database)) == 4


async def test_when_it_is_solved_every_home_is_phoned_once(
    homes: Homes,
    look: Look,
    database: Database,
    clock: SetClock,
    rules: FollowUpRules,
    far_end: FarEnd,
    tick: Round,
) -> None:
    for _ in range(3):
        await homes.phone()
    same_home = await homes.phone(place=heard(Place(building="3", unit="1", room="101")), categories=(heard("noise"),))
    await look()
    await add_ticket(database, await seen(database, clock), ticket=same_home)
    with pytest.raises(IncidentRefused, match="open"):
        await reopen_incident(database, await seen(database, clock), rules=rules)
    await solve_incident(database, await seen(database, clock), note="换了门机", rules=rules)
    assert await states(database) == {
        **{f"GD-1124-000{n}": "solved" for n in (1, 2, 3)},
        same_home: "closed",
    }
    waiting = [row for row in await reminders(database) if row.state == "waiting"]
    assert sorted((row.kind, row.to_number) for row in waiting) == [
        ("satisfaction", f"+861380000000{n}") for n in (1, 2, 3)
    ]
    clock.at = local(24, 14, 1)
    await tick()
    assert sorted(call.to_number for call in far_end.calls) == [f"+861380000000{n}" for n in (1, 2, 3)]
    assert await look() == 0


async def test_solved_by_mistake_is_undone_before_anybody_is_phoned(
    homes: Homes,
    look: Look,
    database: Database,
    clock: SetClock,
    rules: FollowUpRules,
    far_end: FarEnd,
    tick: Round,
) -> None:
    for _ in range(3):
        await homes.phone()
    await look()
    change = Change(number="GD-1124-0003", version=1, actor="chenmin", now=clock.now())
    await tickets.change_status(database, change, to=TicketStatus.CLOSED, rules=rules, note="住户说好了")
    await solve_incident(database, await seen(database, clock), note="换了门机", rules=rules)
    await reopen_incident(database, await seen(database, clock), rules=rules)
    assert list((await states(database)).values()) == ["reopened", "reopened", "closed"]
    assert (await page(database)).incident.state == "open"
    clock.at = local(24, 15)
    await tick()
    assert far_end.calls == []


async def test_a_caller_hears_that_it_is_known(
    homes: Homes, look: Look, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    for _ in range(2):
        await homes.phone()
    await look()
    ask = ProgressByPhone(database=database, clock=clock, rules=rules)
    assert "附近多户" not in await ask.heard_by("+8613800000001"), "a suggestion is not told"
    await confirm_incident(database, await seen(database, clock))
    said = await ask.heard_by("+8613800000001")
    assert "附近多户也有同样的情况，我们已经知道，正在统一处理" in said
    await solve_incident(database, await seen(database, clock), note="好了", rules=rules)
    assert "附近多户" not in await ask.heard_by("+8613800000001")


async def test_a_later_caller_from_there_hears_it_on_arrival(
    homes: Homes, look: Look, database: Database, clock: SetClock, rules: FollowUpRules
) -> None:
    known = KnownIncidents(database=database, clock=clock)
    for _ in range(2):
        await homes.phone()
    await look()
    elsewhere = await homes.phone(place=heard(Place(building="5", room="501")), categories=(heard("noise"),))
    assert elsewhere
    assert await known.heard_on_arrival("+8613800000001") is None, "a suggestion is not told"
    await confirm_incident(database, await seen(database, clock))
    clock.advance(minutes=1)
    said = await known.heard_on_arrival("+8613800000001")
    assert said is not None
    assert "您所在的楼栋有多户反映电梯问题，我们已经知道，正在处理" in said
    assert await known.heard_on_arrival("+8613800000003") is None, "building 5 has another lift"
    assert await known.heard_on_arrival("+8613900000000") is None, "nobody knows where this caller lives"
    assert await known.heard_on_arrival(None) is None
    await solve_incident(database, await seen(database, clock), note="好了", rules=rules)
    clock.advance(minutes=1)
    assert await known.heard_on_arrival("+8613800000001") is None


async def test_two_processes_that_look_at_once_make_one(homes: Homes, look: Look, database: Database) -> None:
    for _ in range(3):
        await homes.phone()
    assert sorted(await asyncio.gather(look(), look(), look())) == [0, 0, 1]
    assert len((await list_incidents(database)).open) == 1


async def test_praise_and_finished_tickets_are_no_reports(homes: Homes, look: Look, database: Database) -> None:
    await homes.phone(request_type=heard(RequestType.PRAISE))
    await homes.phone(request_type=heard(RequestType.PRAISE))
    assert await look() == 0
    assert (await list_incidents(database)).suggested == ()
    async with database.read() as session:
        assert (await session.scalars(select(IncidentRow))).all() == []
