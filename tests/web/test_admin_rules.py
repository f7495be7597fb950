"""Rule files in the console: tried, saved, in force at once, given back; a mistake is named by its line."""

import asyncio
import html
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.users import AuditRow
from callcenter.domain.understanding.rules_files import RuleFolder
from callcenter.services.rule_texts import NAMES
from tests.web.conftest import Client, SignIn, hidden
from tests.web.day import LEAK


def shown(page: str) -> str:
    """The text of the page's big box."""
    return html.unescape(page.split('name="text"')[1].split(">\n", 1)[1].split("</textarea>")[0])


async def opened(client: Client, name: str) -> tuple[str, dict[str, str]]:
    page = await (await client.get(f"/admin/rules/{name}")).text()
    return shown(page), {"csrf": hidden(page, "csrf"), "version": hidden(page, "version")}


async def send(client: Client, name: str, hiddens: dict[str, str], do: str, text: str = "") -> tuple[int, str]:
    """As a browser does: line ends of a form are CRLF."""
    form = {**hiddens, "do": do, "text": text.replace("\n", "\r\n")}
    answer = await client.post(f"/admin/rules/{name}", data=form, allow_redirects=False)
    return answer.status, await answer.text()


async def test_every_file_opens_as_it_is_in_force(sign_in: SignIn) -> None:
    client = await sign_in("root")
    index = await (await client.get("/admin/rules")).text()
    for name in NAMES:
        assert f'href="/admin/rules/{name}"' in index
        text, hiddens = await opened(client, name)
        assert len(text) > 100
        status, page = await send(client, name, hiddens, "try", text)
        assert (status, "试过了：没有错" in page) == (200, True)
        assert shown(page) == text
    assert (await client.get("/admin/rules/passwd")).status == 404
    assert (await (await sign_in("hewen")).get("/admin/rules/categories")).status == 403


async def test_a_saved_file_is_in_force_at_once_and_given_back(
    sign_in: SignIn, settings: Settings, database: Database
) -> None:
    client, folder = await sign_in("root"), RuleFolder(settings.rules_dir)
    built_in, hiddens = await opened(client, "categories")
    assert folder.current().categories[0].zh == "给排水"
    renamed = built_in.replace('zh = "给排水"', 'zh = "上下水"')
    assert (await send(client, "categories", hiddens, "save", renamed))[0] == 303
    assert folder.current().categories[0].zh == "上下水"
    assert (settings.rules_dir / "categories.toml").read_text("utf-8") == renamed
    async with asyncio.timeout(10):  # a page looks once a second
        while "上下水" not in await (await client.get(f"/tickets/{LEAK}")).text():
            await asyncio.sleep(0.1)

    again, hiddens = await opened(client, "categories")
    assert again == renamed
    assert (await send(client, "categories", hiddens, "save", renamed.replace("上下水", "用水")))[0] == 303
    assert (await send(client, "categories", hiddens, "earlier"))[0] == 303
    assert folder.current().categories[0].zh == "上下水"
    assert (await send(client, "categories", hiddens, "built_in"))[0] == 303
    assert folder.current().categories[0].zh == "给排水"
    assert (await send(client, "categories", hiddens, "earlier"))[0] == 303, "what was given up is not lost"
    assert folder.current().categories[0].zh == "上下水"
    assert (await send(client, "categories", hiddens, "earlier"))[0] == 400, "before it was the built-in one"
    async with database.read() as session:
        written = await session.scalars(select(AuditRow.data).where(AuditRow.action == "rules_changed"))
        assert [one["how"] for one in written] == ["save", "save", "earlier", "built_in", "earlier"]
    assert {one.name for one in settings.rules_dir.iterdir()} == {"categories.toml"}, "nothing half written lies about"


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("categories", 'zh = "电梯"', 'zh = ""'),
        ("categories", 'zh = "电梯"', 'zh = "电梯'),
        ("categories", 'usual = "repair"', 'usual = "mend"'),
        ("service_language", "phrases = [", "phrases = [7, "),
    ],
)
async def test_a_mistake_is_named_by_its_line_and_not_saved(
    sign_in: SignIn, settings: Settings, name: str, right: str, wrong: str
) -> None:
    client = await sign_in("root")
    text, hiddens = await opened(client, name)
    bad = text.replace(right, wrong, 1) + "# <script>alert(1)</script>\n"
    line = bad[: bad.index(wrong)].count("\n") + 1
    for deed in ("try", "save"):
        status, page = await send(client, name, hiddens, deed, bad)
        assert status == 400
        said = re.search(r"第 (\d+) 行不对", page)
        assert said, page
        assert abs(int(said[1]) - line) <= 1, "a string without an end is noticed at the next line"
        assert shown(page) == bad, "what was written is still there"
        assert "<script>alert(1)" not in page
    assert not settings.rules_dir.exists()


async def test_of_two_who_edit_at_once_neither_overwrites_unseen(sign_in: SignIn, settings: Settings) -> None:
    client = await sign_in("root")
    text, hiddens = await opened(client, "urgency")
    assert (await send(client, "urgency", hiddens, "save", f"{text}# 甲\n"))[0] == 303
    status, page = await send(client, "urgency", hiddens, "save", f"{text}# 乙\n")
    assert status == 409
    assert "别人刚改过这个文件" in page
    assert shown(page).endswith("# 乙\n")
    assert (settings.rules_dir / "urgency.toml").read_text("utf-8").endswith("# 甲\n")
    hiddens["version"] = hidden(page, "version")
    assert (await send(client, "urgency", hiddens, "save", f"{text}# 乙\n"))[0] == 303, "looked at, and saved again"


async def test_service_language_is_tried_over_past_calls(sign_in: SignIn, settings: Settings) -> None:
    client = await sign_in("root")
    text, hiddens = await opened(client, "service_language")
    forbidden = text.replace("phrases = [", 'phrases = ["您好", ', 1)
    status, page = await send(client, "service_language", hiddens, "try", forbidden)
    assert status == 200
    assert re.search(r"拿最近 30 天的 [1-9]\d* 通试过", page)
    assert "还没有保存" in page
    assert not settings.rules_dir.exists()


async def test_what_the_disk_refuses_is_said(sign_in: SignIn, settings: Settings) -> None:
    settings.rules_dir.parent.mkdir(parents=True, exist_ok=True)
    Path(settings.rules_dir).write_text("a file where the folder should be")
    client = await sign_in("root")
    text, hiddens = await opened(client, "surnames")
    status, page = await send(client, "surnames", hiddens, "save", f"{text}# 改\n")
    assert status == 500
    assert "写不进规则文件夹" in page
    assert shown(page) == f"{text}# 改\n"


async def test_a_file_that_was_spoilt_by_hand_is_shown_with_its_mistake(sign_in: SignIn, settings: Settings) -> None:
    settings.rules_dir.mkdir(parents=True)
    (settings.rules_dir / "danger.toml").write_text("[trapped\n", "utf-8")
    client = await sign_in("root")
    assert "有错，还在用之前的" in await (await client.get("/admin/rules")).text()
    page = await (await client.get("/admin/rules/danger")).text()
    assert "第 1 行不对" in page
    assert shown(page) == "[trapped\n"
