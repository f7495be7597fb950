"""A reviewer writes what was really said: the line, the history and the search follow; a lost race loses nothing."""

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.recordings import SegmentRow
from callcenter.db.tickets import TicketRow
from tests.web.conftest import SignIn, submit
from tests.web.day import LEAK, NOISE

PAGE, WORDS = f"/tickets/{LEAK}", f"/tickets/{LEAK}/words"
SAID = "三栋二单元五零一，我姓王，水都滴到配电箱上了。"
TRUE = "三栋二单元五零一，我姓汪，水都滴到配电箱上了。"


async def line(database: Database) -> SegmentRow:
    async with database.read() as session:
        query = select(SegmentRow).where(SegmentRow.recording_id == "rec-CA-leak", SegmentRow.number == 3)
        return (await session.scalars(query)).one()


async def test_the_line_reads_as_it_was_said_and_the_recogniser_is_kept(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    form = {"recording": "rec-CA-leak", "number": "3", "text": f"  {TRUE} "}
    saved = await submit(client, WORDS, seen=PAGE, **form)
    assert (saved.status, saved.headers["Location"]) == (303, PAGE)
    changed = await line(database)
    assert (changed.text, changed.corrected_text) == (SAID, TRUE)
    page = await (await client.get(PAGE)).text()
    assert "我姓汪" in page
    assert "已改字" in page
    assert f"改字：“{SAID}” → “{TRUE}”。" in page
    assert LEAK in await (await client.get("/tickets?status=all&q=我姓汪")).text()
    back = await submit(client, WORDS, seen=PAGE, **(form | {"text": SAID, "back": "review"}))
    assert back.headers["Location"] == f"/review/{LEAK}"
    assert (await line(database)).corrected_text is None


async def test_a_correction_from_an_old_page_is_refused_and_says_by_whom(sign_in: SignIn, database: Database) -> None:
    one, other = await sign_in("lijia"), await sign_in("hewen")
    form = {"recording": "rec-CA-leak", "number": "3", "text": TRUE}
    assert (await submit(other, WORDS, seen=PAGE, **form)).status == 303
    stale = await submit(one, WORDS, seen=PAGE, **(form | {"text": "别的话", "version": "1"}))
    assert stale.status == 409
    assert "何雯" in await stale.text()
    assert (await line(database)).corrected_text == TRUE


async def test_words_of_another_ticket_empty_ones_and_none_change_nothing(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    form = {"recording": "rec-CA-leak", "number": "3", "text": TRUE}
    assert (await submit(client, f"/tickets/{NOISE}/words", seen=f"/tickets/{NOISE}", **form)).status == 404
    assert (await submit(client, WORDS, seen=PAGE, **(form | {"number": "99"}))).status == 404
    for wrong in ({"text": "  "}, {"number": "x"}, {"number": "-1"}):
        assert (await submit(client, WORDS, seen=PAGE, **(form | wrong))).status == 400
    assert (await line(database)).corrected_text is None
    async with database.read() as session:
        assert await session.scalar(select(TicketRow.version).where(TicketRow.number == LEAK)) == 1
