"""The first run: an empty database leads from the code in the data folder to the first answered call."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.web import add_console
from tests.conftest import SetClock
from tests.web.conftest import Client, hidden
from tests.web.factory import Ring, Story, call_rows, save


@pytest.fixture
async def empty(database: Database, clock: SetClock, tmp_path: object) -> AsyncIterator[tuple[Client, Settings]]:
    settings = Settings.model_validate({"server": {"data_dir": f"{tmp_path}/data"}})
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock)
    async with TestClient(TestServer(app)) as client:
        yield client, settings


async def first(client: Client, code: str, **changed: str) -> object:
    page = await (await client.get("/login")).text()
    assert "这里还没有用户" in page, "the login leads to the set-up"
    form = {"csrf": hidden(page, "csrf"), "code": code, "login": "boss", "name": "老板", "password": "a long password"}
    return await client.post("/setup", data=form | changed)


async def test_the_first_administrator_needs_the_code(empty: tuple[Client, Settings]) -> None:
    client, settings = empty
    wrong = await first(client, "made up")
    assert wrong.status == 403  # type: ignore[attr-defined]
    code_file = settings.server.data_dir / "setup-code"
    assert code_file.stat().st_mode & 0o777 == 0o600
    code = code_file.read_text().strip()
    weak = await first(client, code, password="short")
    assert weak.status == 400  # type: ignore[attr-defined]
    done = await (await first(client, code)).text()  # type: ignore[attr-defined]
    assert "做完这几步" in done
    assert not code_file.exists()
    again = await client.get("/setup", cookies={"callcenter_session": ""})
    assert again.status == 200
    client.session.cookie_jar.clear()
    assert "/login" in str((await client.get("/setup")).url), "once there is a user, nobody becomes another"


async def test_the_steps_lead_to_the_first_answered_call(
    empty: tuple[Client, Settings], database: Database, clock: SetClock
) -> None:
    client, settings = empty
    await client.get("/setup")
    await first(client, (settings.server.data_dir / "setup-code").read_text())
    page = await (await client.get("/setup")).text()
    assert page.count("要做") == 6
    for room in ("company", "provider", "model", "phones", "users"):
        assert f'href="/admin/{room}"' in page
    at = clock.now()
    await save(database, *call_rows(Story(call_id="CA-first", at=at, rings=(Ring(agent="wu", start=1, seconds=4),))))
    page = await (await client.get("/setup")).text()
    assert "热线通了" in page
    assert 'href="/calls/CA-first"' in page
    for address in ("/tickets", "/review", "/reminders", "/answering", "/desk", "/admin"):
        assert (await client.get(address)).status == 200, f"{address} greets an empty database"
