"""Full text: whatever changes the words of a ticket, by whatever way, is found with the next search."""

from sqlalchemy import delete, update

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.search import SearchTextRow
from callcenter.db.tickets import TicketCallRow, TicketRow
from callcenter.services.search_index import index_tickets
from tests.web.conftest import SignIn
from tests.web.day import LEAK, NOISE
from tests.web.test_ticket_list import numbers


async def test_what_is_written_past_the_product_is_found_too(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    assert await numbers(client, "/tickets?q=水帘洞") == []
    async with database.write() as session:
        said = update(SegmentRow).where(SegmentRow.call_id == "CA-leak", SegmentRow.number == 1)
        await session.execute(said.values(corrected_text="我家成了水帘洞，漏得厉害。"))
        await session.execute(update(TicketRow).where(TicketRow.number == NOISE).values(contact="欧阳锋"))
    assert await numbers(client, "/tickets?q=水帘洞") == [LEAK]
    assert await numbers(client, "/tickets?q=欧阳") == [NOISE]
    assert await numbers(client, "/tickets?q=昨天就报过") == [], "the corrected words count, not those they replaced"


async def test_words_leave_with_their_call(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    assert await numbers(client, "/tickets?q=配电箱上") == [LEAK]
    async with database.write() as session:
        await session.execute(delete(TicketCallRow).where(TicketCallRow.call_id == "CA-leak"))
    assert await numbers(client, "/tickets?q=配电箱上") == []


async def test_a_passage_is_found_wherever_it_stands(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    assert await numbers(client, "/tickets?q=漏水，昨天") == [LEAK], "what stands between characters does not matter"
    assert await numbers(client, "/tickets?q=漏水天昨") == [], "every pair is there, the passage is not"
    assert LEAK in await numbers(client, "/tickets?q=漏"), "a single character"
    assert LEAK in await numbers(client, "/tickets?q=漏 配电箱 王女士")
    assert await numbers(client, "/tickets?q=，") == []


async def test_a_long_backlog_is_said_and_worked_off(sign_in: SignIn, database: Database) -> None:
    await sign_in("lijia")
    left = await index_tickets(database, most=2)
    assert left > 0
    while left:
        before, left = left, await index_tickets(database, most=2)
        assert left < before
    async with database.write() as session:
        await session.execute(delete(TicketRow).where(TicketRow.number == "GD-1123-0007"))
        left_over = await session.get(SearchTextRow, 7)
    assert left_over is None
