"""Signing in and out: who gets in, for how long, how often one may try, and where one lands."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select, update
from yarl import URL

from callcenter.config import ServerSettings, Settings
from callcenter.db.engine import Database
from callcenter.db.users import AuditRow, SessionRow, UserRow
from callcenter.services.users import (
    OPERATOR,
    LoginTaken,
    UnknownLogin,
    UnknownRole,
    WeakPassword,
    add_user,
    authenticate,
    change_password,
    set_disabled,
)
from callcenter.web import add_console
from callcenter.web.auth import page_of_ours
from callcenter.web.proxies import visitor_address
from callcenter.web.visit import SESSION_COOKIE, is_https
from tests.conftest import SetClock
from tests.web.conftest import Client, SignIn, hidden, log_in, submit


async def test_a_supervisor_begins_with_answering_an_agent_with_tickets(sign_in: SignIn) -> None:
    for login, start in (("hewen", "/answering"), ("lijia", "/tickets")):
        client = await sign_in(login)
        assert (await client.get("/", allow_redirects=False)).headers["Location"] == start


@pytest.mark.parametrize("login", ["hewen", "nobody"])
async def test_a_wrong_password_and_an_unknown_user_are_told_apart_by_nobody(anonymous: Client, login: str) -> None:
    response = await log_in(anonymous, login, "not the password")
    assert response.status == 401
    assert "用户名或密码不对" in await response.text()
    assert SESSION_COOKIE not in {cookie.key for cookie in anonymous.session.cookie_jar}


async def test_only_a_hash_of_the_cookie_is_kept(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("hewen")
    cookie = next(cookie for cookie in client.session.cookie_jar if cookie.key == SESSION_COOKIE)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    async with database.read() as session:
        kept = (await session.scalars(select(SessionRow.token_hash))).all()
    assert kept == [hashlib.sha256(cookie.value.encode()).hexdigest()]


async def test_behind_https_cookies_are_secure(
    database: Database, clock: SetClock, settings: Settings, day: None
) -> None:
    server = ServerSettings(data_dir=settings.server.data_dir, public_url="https://hotline.example.com")
    app = web.Application()
    add_console(app, database=database, settings=settings.model_copy(update={"server": server}), clock=clock)
    async with TestClient(TestServer(app)) as client:
        page = await client.get("/login")
        assert "Secure" in page.headers["Set-Cookie"]


async def test_signing_out_ends_the_session_also_for_a_copied_cookie(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    cookie = next(cookie for cookie in client.session.cookie_jar if cookie.key == SESSION_COOKIE)
    assert (await submit(client, "/logout", seen="/tickets")).status == 303
    client.session.cookie_jar.update_cookies({SESSION_COOKIE: cookie.value})
    assert (await client.get("/tickets", allow_redirects=False)).headers["Location"] == "/login?next=/tickets"


async def test_a_session_runs_out(sign_in: SignIn, clock: SetClock) -> None:
    client = await sign_in("hewen")
    clock.advance(hours=11.9)
    assert (await client.get("/tickets", allow_redirects=False)).status == 200
    clock.advance(hours=0.2)
    assert (await client.get("/tickets", allow_redirects=False)).status == 303


async def test_a_disabled_user_is_out_at_once(sign_in: SignIn, database: Database) -> None:
    client = await sign_in("lijia")
    async with database.write() as session:
        await session.execute(update(UserRow).where(UserRow.login == "lijia").values(disabled=True))
    assert (await client.get("/tickets", allow_redirects=False)).status == 303
    assert (await log_in(client, "lijia")).status == 401


async def test_too_many_tries_have_to_wait(anonymous: Client) -> None:
    statuses = [(await log_in(anonymous, "hewen", "wrong")).status for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    right = await log_in(anonymous, "hewen")
    assert right.status == 429
    assert right.headers["Retry-After"] == "60"
    assert (await log_in(anonymous, "lijia")).status == 303, "another user at the same address is not locked out"


async def test_the_login_form_needs_its_token(anonymous: Client) -> None:
    page = await (await anonymous.get("/login")).text()
    form = {"login": "hewen", "password": "correct horse battery", "csrf": hidden(page, "csrf") + "x"}
    assert (await anonymous.post("/login", data=form, allow_redirects=False)).status == 403


async def test_one_comes_back_to_where_one_wanted_to_go(anonymous: Client) -> None:
    away = await anonymous.get("/tickets?q=水", allow_redirects=False)
    assert away.headers["Location"] == "/login?next=/tickets%3Fq%3D%25E6%25B0%25B4"
    assert (await log_in(anonymous, "lijia", wanted="/tickets?q=x")).headers["Location"] == "/tickets?q=x"


@pytest.mark.parametrize(
    "address",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nSet-Cookie:x"],
)
def test_nobody_is_sent_to_another_host(address: str) -> None:
    assert page_of_ours(address) == "/"


async def test_adding_a_user_refuses_what_is_wrong(database: Database, clock: SetClock) -> None:
    async def add(login: str = "new", password: str = "long enough 1", role: str = "agent") -> None:
        await add_user(database, login=login, name="新", role=role, password=password, now=clock.now())

    with pytest.raises(WeakPassword, match="shorter than 10"):
        await add(password="short")
    with pytest.raises(UnknownRole, match="agent, supervisor, admin"):
        await add(role="boss")
    await add()
    with pytest.raises(LoginTaken, match="'new'"):
        await add()
    found = await authenticate(database, login="new", password="long enough 1")
    assert found is not None
    assert found.name == "新"
    assert await authenticate(database, login="new", password="long enough 2") is None


async def test_old_sessions_are_swept_away(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await sign_in("hewen")
    clock.at += timedelta(days=2)
    await sign_in("hewen")
    async with database.read() as session:
        assert len((await session.scalars(select(SessionRow.token_hash))).all()) == 1


async def test_a_disabled_user_and_one_with_a_new_password_lose_every_session(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    clients = [await sign_in("hewen"), await sign_in("hewen"), await sign_in("lijia")]
    assert await set_disabled(database, login="hewen", disabled=True, now=clock.now()) == 2
    assert await set_disabled(database, login="hewen", disabled=False, now=clock.now()) == 0
    new = "another long one"
    assert await change_password(database, login="lijia", password=new, now=clock.now()) == 1
    for client in clients:
        assert (await client.get("/tickets", allow_redirects=False)).status == 303
    assert (await log_in(clients[2], "lijia")).status == 401
    assert (await log_in(clients[2], "lijia", new)).status == 303
    async with database.read() as session:
        written = (await session.scalars(select(AuditRow.action).where(AuditRow.login == OPERATOR))).all()
    assert sorted(written) == ["disabled", "enabled", "password_changed"]
    with pytest.raises(UnknownLogin):
        await change_password(database, login="nobody", password=new, now=clock.now())


async def test_nul_and_an_unknown_charset_are_the_visitors_error(sign_in: SignIn, anonymous: Client) -> None:
    client = await sign_in("hewen")
    for path in ("/tickets?q=%00", "/tickets?category=a%00b", "/tickets/%00", "/calls/%00", "/review/W1%00"):
        answer = await client.get(URL(path, encoded=True))
        assert answer.status == 400, path
        assert "没有这一页" in await answer.text()
    for kind in ("charset=nonsense", "charset=utf-16"):
        header = {"Content-Type": f"application/x-www-form-urlencoded; {kind}"}
        assert (await anonymous.post("/login", data=b"login=abc", headers=header)).status == 400
    assert (await log_in(anonymous, "hewen\0", "x\0y")).status == 401


Asked = Callable[..., Awaitable[tuple[str, bool]]]


@pytest.fixture
async def asked(database: Database, clock: SetClock, settings: Settings) -> AsyncIterator[Asked]:
    """What the console takes a request for: whose, and whether by https."""

    async def tell(request: web.Request) -> web.Response:
        return web.json_response([visitor_address(request), is_https(request)])

    clients: list[Client] = []

    async def ask(trusted: tuple[str, ...], **headers: str) -> tuple[str, bool]:
        server = settings.server.model_copy(update={"trusted_proxies": trusted})
        app = web.Application()
        add_console(app, database=database, settings=settings.model_copy(update={"server": server}), clock=clock)
        app.router.add_get("/asked", tell)
        client: Client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address, by_https = await (await client.get("/asked", headers=named)).json()
        return address, by_https

    yield ask
    for client in clients:
        await client.close()


async def test_only_our_own_proxies_are_believed(asked: Asked) -> None:
    ours = ("127.0.0.1", "10.0.0.0/24")
    assert await asked((), X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="https") == ("127.0.0.1", False)
    assert await asked(ours) == ("127.0.0.1", False)
    assert await asked(ours, X_Forwarded_For="1.2.3.4", X_Forwarded_Proto="https") == ("1.2.3.4", True)
    assert await asked(ours, X_Forwarded_For="6.6.6.6, 1.2.3.4, 10.0.0.7") == ("1.2.3.4", False)
    assert await asked(ours, X_Forwarded_For="6.6.6.6, 10.0.1.7:55") == ("10.0.1.7", False)
    assert await asked(ours, X_Forwarded_For="[2001:db8::1]:55") == ("2001:db8::1", False)
    assert await asked(ours, X_Forwarded_For="::ffff:10.0.0.9") == ("10.0.0.9", False)
    assert await asked(ours, X_Forwarded_For="1.2.3.4, nonsense") == ("127.0.0.1", False)
    assert await asked(("10.0.0.1",), X_Forwarded_For="1.2.3.4") == ("127.0.0.1", False)
