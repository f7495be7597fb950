"""The administration: settings are tried, saved, undone; users; the estate register with a preview; the audit log."""

import aiohttp
import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.users import AuditRow
from tests.web.conftest import Client, SignIn, hidden, log_in

PAGES = (
    *("company", "provider", "phones", "hours", "flow", "deadlines", "texts", "model", "retention"),
    *("rules", "register", "users", "changes", "audit"),
)


async def fill_in(client: Client, room: str, **typed: str) -> aiohttp.ClientResponse:
    """Sends the room's form as it stands, but for what is typed; names have __ where their boxes have a dot."""
    import re

    page = await (await client.get(f"/admin/{room}")).text()
    form = page.split('class="settings"')[1].split("</form>")[0]
    found = dict(re.findall(r'<input (?:type="hidden" )?(?:id="[^"]*" )?name="([^"]+)" value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>([^<]*)<', form))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert chosen
        found[name] = chosen[1]
    for name in re.findall(r'<input type="checkbox"[^>]* name="([^"]+)" value="on" checked', form):
        found[name] = "on"
    for name, text in typed.items():
        found[name.replace("__", ".")] = text
    return await client.post(f"/admin/{room}", data=found, allow_redirects=False)


@pytest.mark.parametrize("room", PAGES)
async def test_only_an_administrator_enters(sign_in: SignIn, room: str) -> None:
    assert (await (await sign_in("root")).get(f"/admin/{room}")).status == 200
    refused = await (await sign_in("hewen")).get(f"/admin/{room}")
    assert refused.status == 403
    assert "只有管理员能看" in await refused.text()


async def test_a_change_is_saved_shown_and_undone(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("root")
    assert (await fill_in(client, "flow", call_flow__ring_seconds="25")).status == 303
    page = await (await client.get("/admin/flow")).text()
    assert 'name="call_flow.ring_seconds" value="25"' in page
    assert "等没有人在通话时自动生效" in page
    changes = await (await client.get("/admin/changes")).text()
    assert changes.count("call_flow.ring_seconds") == 1, "what was not changed is not saved"
    csrf = {"csrf": hidden(changes, "csrf")}
    assert (await client.post("/admin/changes/1/undo", data=csrf, allow_redirects=False)).status == 303
    assert 'name="call_flow.ring_seconds" value="20"' in await (await client.get("/admin/flow")).text()
    assert (await client.post("/admin/changes/1/undo", data=csrf)).status == 400, "undone already"
    async with database.read() as session:
        written = (await session.scalars(select(AuditRow.subject).where(AuditRow.action == "setting_changed"))).all()
    assert written == ["setting:call_flow.ring_seconds"] * 2


@pytest.mark.parametrize(
    ("room", "name", "text"),
    [
        ("flow", "call_flow.ring_seconds", "3"),
        ("flow", "call_flow.ring_seconds", "twenty"),
        ("hours", "calendar.office_hours", "9 bis 12"),
        ("hours", "calendar.office_hours", "12:00-09:00"),
        ("hours", "calendar.holidays", "2027-13-01"),
        ("phones", "agents.4.id", "Nobody Nice"),
        ("provider", "server.public_url", "hotline"),
        ("texts", "follow_up.call_texts.missed_call", "您好{nonsense}"),
    ],
)
async def test_what_would_not_start_is_not_saved(sign_in: SignIn, room: str, name: str, text: str) -> None:
    client = await sign_in("root")
    refused = await fill_in(client, room, **{name.replace(".", "__"): text})
    page = await refused.text()
    assert refused.status == 400
    assert "没有保存" in page
    box = page.split(f'name="{name}"')[1].split(">")[0]
    assert 'aria-invalid="true"' in box
    assert text in page, "what was typed is still there"
    assert "还没有在这里改过设置" in await (await client.get("/admin/changes")).text()


async def test_agents_are_added_and_removed_as_rows(sign_in: SignIn) -> None:
    client = await sign_in("root")
    added = {"agents__4__id": "wu", "agents__4__name": "吴梅", "agents__4__phone": "+8613900000001"}
    assert (await fill_in(client, "phones", agents__0__drop="on", **added)).status == 303
    page = await (await client.get("/admin/phones")).text()
    assert "吴梅" in page
    assert "孙磊" not in page
    twice = await fill_in(client, "phones", **{name.replace("4", "4"): value for name, value in added.items()})
    assert twice.status == 400, "the same id twice"


async def test_two_administrators_do_not_overwrite_each_other(sign_in: SignIn) -> None:
    mine, theirs = await sign_in("root"), await sign_in("root")
    old = await (await mine.get("/admin/company")).text()
    assert (await fill_in(theirs, "company", console__company="碧湖物业")).status == 303
    form = {"csrf": hidden(old, "csrf"), "number": hidden(old, "number"), "console.company": "绿湖物业"}
    lost = await mine.post("/admin/company", data=form)
    page = await lost.text()
    assert lost.status == 409
    assert "绿湖物业" in page, "what I typed is still there"
    assert "碧湖物业" in await (await mine.get("/admin/company")).text()


async def test_a_secret_is_kept_and_never_shown(sign_in: SignIn) -> None:
    client = await sign_in("root")
    token = "t0ken-that-nobody-sees"
    assert (await fill_in(client, "provider", twilio__auth_token=token)).status == 303
    for path in ("/admin/provider", "/admin/changes", "/admin/audit"):
        assert token not in await (await client.get(path)).text()
    assert "已经设置" in await (await client.get("/admin/provider")).text()
    assert (await fill_in(client, "provider", twilio__account_sid="AC1")).status == 303
    assert "已经设置" in await (await client.get("/admin/provider")).text(), "an empty box leaves it alone"


async def test_the_environment_has_the_last_word(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await sign_in("root")
    monkeypatch.setenv("CALLCENTER_CALL_FLOW__RING_SECONDS", "33")
    page = await (await client.get("/admin/flow")).text()
    assert "由环境变量决定" in page
    assert "disabled" in page.split('name="call_flow.ring_seconds"')[1].split(">")[0]


async def test_users_come_change_and_go(sign_in: SignIn, anonymous: Client) -> None:
    client = await sign_in("root")
    csrf = {"csrf": hidden(await (await client.get("/admin/users")).text(), "csrf")}
    new = {"login": "wumei", "name": "吴梅", "role": "agent", "agent": "chen", "password": "a long password"}
    assert (await client.post("/admin/users", data=csrf | new, allow_redirects=False)).status == 303
    assert (await client.post("/admin/users", data=csrf | new)).status == 400, "taken"
    assert (await log_in(anonymous, "wumei", "a long password")).status == 303
    up = {"do": "save", "name": "吴梅", "role": "supervisor", "agent": ""}
    assert (await client.post("/admin/users/wumei", data=csrf | up, allow_redirects=False)).status == 303
    assert "/login" in str((await anonymous.get("/answering")).url), "has to sign in anew"
    assert (await client.post("/admin/users/wumei", data=csrf | {"do": "disable"}, allow_redirects=False)).status == 303
    assert (await log_in(anonymous, "wumei", "a long password")).status == 401
    last = await client.post("/admin/users/root", data=csrf | {"do": "disable"})
    assert last.status == 400
    assert "最后一位管理员" in await last.text()
    weak = await client.post("/admin/users/wumei", data=csrf | {"do": "password", "password": "short"})
    assert weak.status == 400
    assert "加用户" in await (await client.get("/admin/audit")).text()


async def test_a_register_is_looked_at_before_it_is_taken(sign_in: SignIn) -> None:
    client = await sign_in("root")
    csrf = hidden(await (await client.get("/admin/register")).text(), "csrf")

    async def upload(text: str) -> aiohttp.ClientResponse:
        form = aiohttp.FormData()
        form.add_field("csrf", csrf)
        form.add_field("file", text.encode(), filename="estate.csv", content_type="text/csv")
        return await client.post("/admin/register", data=form)

    wrong = await upload("小区,楼栋,房号,电话\n翠湖,3,501,12\n")
    assert wrong.status == 400
    assert "1 处不对" in await wrong.text()
    assert (await client.post("/admin/register/take", data={"csrf": csrf})).status == 400, "nothing waits"
    shown = await (await upload("小区,楼栋,单元,房号,姓名\n翠湖,3,2,501,王芳\n翠湖,3,2,502,李刚\n")).text()
    assert "新 2，不再有 0" in shown
    assert "还没有房产" in shown, "not taken yet"
    taken = await client.post("/admin/register/take", data={"csrf": csrf})
    assert "2 套房" in await taken.text()


async def test_the_audit_log_is_filtered_by_links(sign_in: SignIn) -> None:
    client = await sign_in("root")
    await (await sign_in("lijia")).get("/tickets/GD-1124-0001")
    page = await (await client.get("/admin/audit?login=lijia&action=viewed_ticket")).text()
    assert "ticket:GD-1124-0001" in page
    assert "user:root" not in page.split("<tbody>")[1]
    assert "没有这样的记录" in await (await client.get("/admin/audit?subject=nothing-like-it")).text()


async def test_the_test_of_the_line_says_what_is_wrong(sign_in: SignIn) -> None:
    client = await sign_in("root")
    await fill_in(client, "provider", server__public_url="http://127.0.0.1:9")
    csrf = {"csrf": hidden(await (await client.get("/admin")).text(), "csrf")}
    page = await (await client.post("/admin/provider/test", data=csrf)).text()
    assert "连不上" in page
    assert "还没有东西进来" in page
