"""The real console over a real database with a day's rows in it; a signed-in client for each role."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from callcenter.config import AgentSettings, ConsoleSettings, ServerSettings, Settings
from callcenter.db.engine import Database
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.web import add_console
from tests.conftest import SetClock
from tests.web.day import a_day
from tests.web.factory import PASSWORD

CHROMIUM = Path("/usr/bin/chromium")

Client = TestClient
SignIn = Callable[[str], Awaitable[Client]]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives the console in headless Chromium")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without Chromium a browser test is skipped, unless the run says that it must not be."""
    if item.get_closest_marker("browser") and not CHROMIUM.exists():
        if os.environ.get("CALLCENTER_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{CHROMIUM} is missing and CALLCENTER_REQUIRE_BROWSER=1: apt-get install chromium")
        pytest.skip(f"{CHROMIUM} is missing: apt-get install chromium")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    names = {"sun": "孙磊", "chen": "陈敏", "li": "李佳", "zhao": "赵强"}
    return Settings(
        server=ServerSettings(data_dir=tmp_path / "data"),
        agents=tuple(AgentSettings(id=key, name=name, phone=f"sip:{key}@pbx") for key, name in names.items()),
        console=ConsoleSettings(login_attempts_a_minute=3),
    )


@pytest.fixture
def rules(settings: Settings) -> FollowUpRules:
    return follow_up_rules(settings.follow_up, settings.calendar, settings.console)


@pytest.fixture
async def day(database: Database, clock: SetClock, settings: Settings) -> None:
    """The rows of tests/web/day.py."""
    await a_day(database, clock.now(), settings.recordings_dir)


@pytest.fixture
async def console(database: Database, clock: SetClock, settings: Settings, day: None) -> AsyncIterator[TestServer]:
    app = web.Application()
    add_console(app, database=database, settings=settings, clock=clock)
    server = TestServer(app)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def anonymous(console: TestServer) -> AsyncIterator[Client]:
    async with TestClient(console) as client:
        yield client


@pytest.fixture
async def sign_in(console: TestServer) -> AsyncIterator[SignIn]:
    """Gives a client of its own to each person."""
    clients: list[Client] = []

    async def signed_in(login: str) -> Client:
        client: Client = TestClient(console)
        await client.start_server()
        clients.append(client)
        response = await log_in(client, login)
        assert response.status == 303, await response.text()
        return client

    yield signed_in
    for client in clients:
        await client.session.close()


async def log_in(client: Client, login: str, password: str = PASSWORD, wanted: str = "/") -> Any:
    page = await client.get("/login")
    form = {"login": login, "password": password, "next": wanted, "csrf": hidden(await page.text(), "csrf")}
    return await client.post("/login", data=form, allow_redirects=False)


def hidden(page: str, name: str) -> str:
    """The value of the first hidden field of this name."""
    return page.split(f'name="{name}" value="', 1)[1].split('"', 1)[0]


async def submit(client: Client, path: str, *, seen: str = "", **fields: str) -> Any:
    """Sends a form as the page at `seen` offers it: with its CSRF token and, unless given, its version."""
    page = await (await client.get(seen or path.rsplit("/", 1)[0])).text()
    form = {"csrf": hidden(page, "csrf")}
    if 'name="version"' in page:
        form["version"] = hidden(page, "version")
    return await client.post(path, data=form | fields, allow_redirects=False)
