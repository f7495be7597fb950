"""One ticket: what was heard and from which words, what a person makes of it, and two people at once."""

import re

import pytest
from sqlalchemy import select, update

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow, TicketHistoryRow, TicketRow
from callcenter.db.users import AuditRow
from tests.conftest import SetClock
from tests.web.conftest import SignIn, hidden, submit
from tests.web.day import LEAK, NOISE, SILENT

PAGE = f"/tickets/{LEAK}"


async def row(database: Database, number: str = LEAK) -> TicketRow:
    async with database.read() as session:
        return (await session.scalars(select(TicketRow).where(TicketRow.number == number))).one()


async def audited(database: Database, action: str) -> list[AuditRow]:
    async with database.read() as session:
        return list((await session.scalars(select(AuditRow).where(AuditRow.action == action))).all())


async def test_it_shows_what_is_due_and_where_the_words_are(sign_in: SignIn) -> None:
    page = await (await (await sign_in("lijia")).get(PAGE)).text()
    assert "<h1>3栋2单元501 厨房顶部漏水，滴到配电箱</h1>" in page
    assert '<b class="nw">08:40 前上门</b>' in page
    assert "超期 1 小时 20 分" in page
    assert re.search(r'<mark data-slot="place"[^>]*>三栋二单元五零一</mark>', page)
    assert re.search(r'<mark data-slot="urgency" class="danger"[^>]*>水都滴到配电箱上了</mark>', page)
    assert re.search(r'<mark data-slot="(request_type category|category request_type)"[^>]*>漏水</mark>', page)
    assert "安排外呼：承诺回电" in page


async def test_an_unsure_value_is_never_shown_as_sure(sign_in: SignIn) -> None:
    page = await (await (await sign_in("zhaoqiang")).get(f"/tickets/{NOISE}")).text()
    assert '<span class="heard unsure">15栋204</span>' in page
    assert "<h1>楼上周日装修电钻，白天无法休息</h1>" in page, "an unsure place is not in the title"
    assert '<mark data-slot="place" class="unsure"' in page


async def test_silence_is_said_to_be_silence(sign_in: SignIn) -> None:
    page = await (await (await sign_in("lijia")).get(f"/tickets/{SILENT}")).text()
    assert "须听录音：录音里没有人说话" in page
    assert "没有听到说话" in page


async def test_numbers_are_masked_until_someone_asks_which_is_written_down(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    page = await (await client.get(PAGE)).text()
    assert "138****6207" in page
    assert "13800016207" not in page
    shown = await submit(client, f"{PAGE}/phone", which="caller_number")
    assert "13800016207" in await shown.text()
    looks = await audited(database, "viewed_number")
    assert [(look.login, look.subject, look.data) for look in looks] == [
        ("lijia", f"ticket:{LEAK}", {"which": "caller_number"})
    ]


async def test_who_looks_is_written_down_and_shown_to_the_others(sign_in: SignIn, database: Database) -> None:
    one, other = await sign_in("lijia"), await sign_in("hewen")
    for _ in range(3):
        await one.get(PAGE)
    assert "李佳" in (await (await other.get(PAGE)).text()).split("谁看过", 1)[1]
    assert [look.login for look in await audited(database, "viewed_ticket")] == ["lijia", "hewen"]


async def test_a_corrected_field_stays(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    saved = await submit(client, f"{PAGE}/fields/place", seen=PAGE, value="3栋2单元601")
    assert saved.status == 303
    page = await (await client.get(PAGE)).text()
    assert "<h1>3栋2单元601 厨房顶部漏水，滴到配电箱</h1>" in page
    assert "改“地点”：3栋2单元501 → 3栋2单元601。" in page
    assert "原来听作" in page
    changed = await row(database)
    assert (changed.room, changed.version) == ("601", 2)


async def test_two_people_at_once_see_both_versions(sign_in: SignIn, database: Database) -> None:
    slow, quick = await sign_in("lijia"), await sign_in("hewen")
    seen = await (await slow.get(PAGE)).text()
    await submit(quick, f"{PAGE}/fields/place", seen=PAGE, value="3栋2单元701")
    form = {"csrf": hidden(seen, "csrf"), "version": hidden(seen, "version"), "value": "3栋2单元601"}
    lost = await slow.post(f"{PAGE}/fields/place", data=form)
    assert lost.status == 409
    text = await lost.text()
    assert "何雯 10:00 改过这张工单" in text
    assert "<b>3栋2单元601</b>" in text
    assert "<dd>3栋2单元701</dd>" in text
    assert (await row(database)).room == "701", "nothing was overwritten"
    mine = text.split("data-conflict", 1)[1]
    again = {name: hidden(mine, name) for name in ("csrf", "version", "value")}
    assert (await slow.post(f"{PAGE}/fields/place", data=again, allow_redirects=False)).status == 303
    assert (await row(database)).room == "601"


async def test_a_note_is_kept_whatever_others_did_meanwhile(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    await submit(await sign_in("hewen"), f"{PAGE}/fields/place", seen=PAGE, value="3栋2单元701")
    assert (await submit(client, f"{PAGE}/notes", seen=PAGE, version="1", text="住户在家")).status == 303
    assert "住户在家" in await (await client.get(PAGE)).text()


async def test_every_form_of_a_ticket_names_the_version_that_was_seen(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    for address in (PAGE, f"/review/{NOISE}"):
        page = await (await client.get(address)).text()
        forms = re.findall(r'<form[^>]*action="/tickets/[^"]+/(?!phone)[^"]+"[^>]*>.*?</form>', page, re.DOTALL)
        assert len(forms) > 9
        assert all('name="csrf"' in form for form in forms)
        changing = [form for form in forms if "multipart/form-data" not in form]  # a file is added, and changes nothing
        assert all('name="version"' in form for form in changing)


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("fields/place", {"value": "栋" * 501}, "地点没有看懂"),
        ("fields/wanted", {"value": "下午"}, "时间没有看懂"),
        ("fields/phone", {"value": "abc"}, "号码没有看懂"),
        ("status", {"status": "closed"}, "请写明原因"),
        ("status", {"status": "verified"}, "不能改成这个状态"),
        ("status", {"status": "gone"}, "不能改成这个状态"),
        ("promise", {"kind": "visit", "due": "2026-11-24T09:00"}, "请填最晚何时"),
        ("promise", {"kind": "visit", "due": "soon"}, "请填最晚何时"),
        ("assign", {"owner": "nobody"}, "没有这个人"),
        ("notes", {"text": "  "}, "备注是空的"),
        ("confirm", {"version": "x"}, "没有填对"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_remedy(
    sign_in: SignIn, database: Database, path: str, fields: dict[str, str], words: str
) -> None:
    refused = await submit(await sign_in("lijia"), f"{PAGE}/{path}", seen=PAGE, **fields)
    assert refused.status == 400
    assert words in await refused.text()
    assert (await row(database)).version == 1


async def test_what_people_do_is_done_and_told(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    client = await sign_in("hewen")
    steps = [
        ("assign", {"owner": "zhao"}),
        ("promise", {"kind": "visit", "due": "2026-11-24T15:30", "text": "下午三点半上门"}),
        ("notes", {"text": "已通知 601。\n等回音。"}),
        ("pass-on", {"department": "工程部"}),
        ("spoken", {"text": "告知已关阀"}),
        ("status", {"status": "solved", "reason": "角阀已换"}),
    ]
    for path, fields in steps:
        assert (await submit(client, f"{PAGE}/{path}", seen=PAGE, **fields)).status == 303, path
    page = await (await client.get(PAGE)).text()
    for words in (
        "派单给赵强。",
        "承诺：下午三点半上门·今天 15:30。",
        "已通知 601。\n等回音。",
        "转部门办理：工程部。",
        "告知已关阀",
        "状态 处理中 → 待回访。 角阀已换",
    ):
        assert words in page
    changed = await row(database)
    assert (changed.owner, changed.status, changed.version) == ("zhao", "solved", 7)
    async with database.read() as session:
        due = await session.scalars(select(TicketDeadlineRow.text).where(TicketDeadlineRow.ticket_id == 1))
        assert "下午三点半上门" in due.all()
        actors = await session.scalars(select(TicketHistoryRow.actor).where(TicketHistoryRow.at == clock.now()))
        assert set(actors.all()) <= {"hewen", "system"}


async def test_someone_on_the_spot_ends_the_emergencys_clock(sign_in: SignIn, database: Database) -> None:
    async with database.write() as session:
        session.add(
            TicketDeadlineRow(ticket_id=1, kind="on_site", basis="emergency", due_at=(await row(database)).created_at)
        )
    client = await sign_in("lijia")
    assert "已到场" in await (await client.get(PAGE)).text()
    assert (await submit(client, f"{PAGE}/arrived", seen=PAGE)).status == 303
    assert "已到场" not in await (await client.get(PAGE)).text()


async def test_replies_are_filled_in_and_say_what_is_missing(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    page = await (await client.get(PAGE)).text()
    received = reply(page, "受理告知")
    assert "王女士您好，您反映的“厨房顶部漏水，滴到配电箱”我们已经受理，工单号GD-1124-0001。" in received
    assert "并在11月24日10:12前给您回复" in received, "not the time that has passed"
    assert "由李佳专人负责" in reply(page, "投诉首次回复"), "an agent is called by name"
    assert "要补" not in received
    silent = reply(await (await client.get(f"/tickets/{SILENT}")).text(), "受理告知")
    assert "（称呼）您好，您反映的“（事项）”" in silent
    assert "要补 3 处" in silent
    assert "称呼、事项、时间" in silent


async def test_a_reply_is_kept_as_a_note(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    assert (await submit(client, f"{PAGE}/notes", seen=PAGE, text="王女士您好，已经受理。")).status == 303
    history = (await (await client.get(PAGE)).text()).split('class="hist"', 1)[1]
    assert '<span class="quote">王女士您好，已经受理。</span>' in history


async def test_a_residents_words_stay_words_in_a_reply(sign_in: SignIn, database: Database) -> None:
    async with database.write() as session:
        await session.execute(update(TicketRow).where(TicketRow.number == LEAK).values(contact="</textarea><b>{due}"))
    page = await (await (await sign_in("lijia")).get(PAGE)).text()
    assert "&lt;/textarea&gt;&lt;b&gt;{due}您好" in reply(page, "受理告知")


def reply(page: str, label: str) -> str:
    """The reply template of this name, as the page offers it."""
    return page.split(f"<summary>{label}", 1)[1].split("</details>", 1)[0]


async def test_what_else_was_said_stands_on_the_page(sign_in: SignIn) -> None:
    page = await (await (await sign_in("lijia")).get(PAGE)).text()
    assert "这通来电说了几件事" in page
    assert "水滴到配电箱上" in page
    assert "就是这张工单" in page
    assert re.search(r"<dt>要求</dt><dd>你们快一点", page)
    assert re.search(r"<dt>通话中解决</dt><dd>否", page)


async def test_a_further_problem_becomes_a_ticket_by_one_click(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    assert f'action="{PAGE}/problems/problem.1"' not in await (await client.get(PAGE)).text()
    assert (await submit(client, f"{PAGE}/problems/problem.2", seen=PAGE)).status == 303
    made = await row(database, "GD-1124-0004")
    assert (made.category, made.urgency, made.room) == ("power", "urgent", "501")
    page = await (await client.get(PAGE)).text()
    assert f'<a href="/tickets/{made.number}">{made.number}</a>' in page
    assert "另建一张工单" not in page
    back = await (await client.get(f"/tickets/{made.number}")).text()
    assert f'原工单 <a href="{PAGE}">' in back
    assert "三栋二单元五零一" in back, "the call is heard here too"
    refused = await submit(client, f"{PAGE}/problems/problem.2", seen=PAGE)
    assert refused.status == 400
    assert "已经另建过" in await refused.text()
