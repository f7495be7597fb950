"""`callcenter doctor` on Asterisks that are away, that refuse us, that lack something, and that are well."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from callcenter.commands.doctor_asterisk import NEEDED, asterisks
from callcenter.config import Settings
from callcenter.demo.telephony.exchange import free_port_tcp


class FarEnd:
    def __init__(self) -> None:
        self.version = "22.10.1"
        self.modules = {f"{name}.so": "Running" for name in (*NEEDED, "app_amd")}

    async def info(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != aiohttp.encode_basic_auth("callcenter", "right"):
            return web.Response(status=401)
        return web.json_response({"system": {"version": self.version}})

    async def module(self, request: web.Request) -> web.Response:
        status = self.modules.get(request.match_info["name"])
        return web.Response(status=409) if status is None else web.json_response({"status": status})


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


@pytest.fixture
async def url(far_end: FarEnd) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/ari/asterisk/info", far_end.info)
    app.router.add_get("/ari/asterisk/modules/{name}", far_end.module)
    async with TestServer(app) as server:
        yield f"http://127.0.0.1:{server.port}"


async def found(url: str, folder: Path, *, password: str = "right") -> list[tuple[str, str | None, bool]]:
    server = {"url": url, "password": password, "prompts_dir": folder}
    settings = Settings.model_validate({"asterisk": [server], "server": {"data_dir": folder.parent}})
    async with aiohttp.ClientSession() as session:
        *found, prompts = await asterisks(settings, session)
        assert prompts.state == "all synthesised: call_flow.recorded_prompts is not set"
        return [(one.state, one.remedy, one.blocking) for one in found]


async def test_one_that_is_well(url: str, tmp_path: Path) -> None:
    assert await found(url, tmp_path) == [("22.10.1, lets us in", None, True), (str(tmp_path), None, True)]


async def test_a_wrong_password(url: str, tmp_path: Path) -> None:
    state, remedy, _ = (await found(url, tmp_path, password="wrong"))[0]
    assert (state, remedy) == ("refuses us (401)", "check asterisk.user and its password against ari.conf")


async def test_one_that_is_away(tmp_path: Path) -> None:
    state, remedy, blocking = (await found(f"http://127.0.0.1:{free_port_tcp()}", tmp_path))[0]
    assert state.startswith("cannot be reached")
    assert remedy is not None
    assert "http.conf" in remedy
    assert blocking


async def test_missing_modules_are_named(url: str, far_end: FarEnd, tmp_path: Path) -> None:
    far_end.modules |= {"app_amd.so": "Not Running"}
    del far_end.modules["app_mixmonitor.so"]
    assert (await found(url, tmp_path))[0][0] == "22.10.1, without app_mixmonitor, app_amd"


async def test_an_old_one_is_warned_of(url: str, far_end: FarEnd, tmp_path: Path) -> None:
    far_end.version = "18.20.0"
    assert (await found(url, tmp_path))[0][::2] == ("18.20.0", False)


async def test_a_folder_that_cannot_be_written_to(url: str, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("")
    state, remedy, _ = (await found(url, tmp_path / "prompts"))[1]
    assert state.endswith("cannot be written to")
    assert remedy == "give asterisk.prompts_dir a folder that this user may write to"
