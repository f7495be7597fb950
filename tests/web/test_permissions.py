"""Who may see and do what, and what a browser is told about our pages."""

import pytest
from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from tests.web.conftest import Client, SignIn, submit
from tests.web.day import LEAK

PAGES = (
    *("/tickets", f"/tickets/{LEAK}", "/review", "/answering", "/calls/CA-leak", "/recordings/rec-CA-leak/audio"),
    *("/reminders", "/reminders/1", "/reminders/texts", "/shift", "/alarms"),
)
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.mark.parametrize("path", PAGES)
async def test_nothing_is_seen_without_signing_in(anonymous: Client, path: str) -> None:
    response = await anonymous.get(path, allow_redirects=False)
    assert response.status == 303
    assert response.headers["Location"].startswith("/login?next=")
    assert (await anonymous.get("/events", headers={"Accept": "text/event-stream"})).status == 401


async def test_answering_is_for_supervisors(sign_in: SignIn) -> None:
    refused = await (await sign_in("lijia")).get("/answering")
    assert refused.status == 403
    assert "只有主管能看" in await refused.text()
    assert (await (await sign_in("root")).get("/answering")).status == 200


async def test_an_agent_sees_the_calls_that_rang_at_their_phone(sign_in: SignIn) -> None:
    agent = await sign_in("zhaoqiang")
    assert (await agent.get("/calls/CA-noise")).status == 200
    refused = await agent.get("/calls/CA-leak")
    assert refused.status == 403
    assert "响过铃的客服" in await refused.text()


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_form_without_its_token_changes_nothing(sign_in: SignIn, database: Database, token: str) -> None:
    client = await sign_in("lijia")
    form = {"csrf": token, "version": "1", "value": "1栋1单元101"}
    refused = await client.post(f"/tickets/{LEAK}/fields/place", data=form)
    assert refused.status == 403
    assert "这张表单已失效" in await refused.text()
    async with database.read() as session:
        assert await session.scalar(select(TicketRow.room).where(TicketRow.number == LEAK)) == "501"


async def test_another_sessions_token_does_not_count(sign_in: SignIn) -> None:
    one, other = await sign_in("lijia"), await sign_in("hewen")
    page = await (await one.get(f"/tickets/{LEAK}")).text()
    token = page.split('data-csrf="', 1)[1].split('"', 1)[0]
    assert (await other.post(f"/tickets/{LEAK}/notes", data={"csrf": token, "version": "1", "text": "x"})).status == 403


async def test_pages_run_nothing_inline_and_are_framed_by_nobody(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    for path in ("/tickets", "/answering", "/login"):
        response = await client.get(path)
        assert response.headers["Content-Security-Policy"] == POLICY
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert "<style" not in await response.text()
    played = (await client.get(f"/tickets/{LEAK}")).headers["Content-Security-Policy"]
    assert "unsafe" not in played
    assert played != (await client.get(f"/tickets/{LEAK}")).headers["Content-Security-Policy"], "a nonce is used once"


@pytest.mark.parametrize(("language", "words"), [("zh", "没有这一页"), ("en", "There is no such page")])
async def test_an_unknown_page_is_told_in_both_languages(sign_in: SignIn, language: str, words: str) -> None:
    client = await sign_in("hewen")
    await client.get(f"/tickets?lang={language}")
    for path in ("/nowhere", "/tickets/GD-0000-0000", "/calls/none"):
        missing = await client.get(path, headers={"Accept": "text/html"})
        assert missing.status == 404
        assert words in await missing.text()


async def test_a_script_gets_the_bare_404(anonymous: Client) -> None:
    missing = await anonymous.get("/nowhere", headers={"Accept": "application/json"})
    assert missing.status == 404
    assert "html" not in await missing.text()


async def test_a_crash_is_told_without_particulars(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    client = await sign_in("hewen")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret particulars")

    monkeypatch.setattr("callcenter.web.pages.answering.asked", broken)
    failed = await client.get("/answering")
    assert failed.status == 500
    text = await failed.text()
    assert "这里出了错" in text
    assert "secret" not in text


async def test_static_files_are_kept_by_the_browser(anonymous: Client) -> None:
    page = await (await anonymous.get("/login")).text()
    address = page.split('href="/static/app.css', 1)[1].split('"', 1)[0]
    named = await anonymous.get(f"/static/app.css{address}")
    assert "immutable" in named.headers["Cache-Control"]
    assert (await anonymous.get("/static/app.css")).headers["Cache-Control"] == "no-cache"
    again = await anonymous.get("/static/app.css", headers={"If-None-Match": named.headers["ETag"]})
    assert again.status == 304
    assert (await anonymous.get("/static/../auth.py")).status == 404


async def test_the_first_page_is_light(sign_in: SignIn) -> None:
    """Everything the list needs, as transferred: below 150 kB."""
    client = await sign_in("hewen")
    page = await (await client.get("/tickets")).text()
    addresses = {part.split('"', 1)[0] for part in page.split('"/static/')[1:]}
    sizes = [int((await client.get(f"/static/{address}")).headers["Content-Length"]) for address in addresses]
    assert len(addresses) >= 7
    assert sum(sizes) + len(page) < 150_000


async def test_signing_out_by_a_link_of_another_page_does_not_work(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    assert (await client.get("/logout")).status == 405
    assert (await submit(client, "/logout", seen="/tickets", csrf="x")).status == 403
