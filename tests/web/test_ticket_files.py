"""Files on a ticket, and the ticket on paper."""

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from callcenter.config import Settings
from callcenter.services.attachments import LARGEST_BYTES
from tests.web.conftest import Client, SignIn, hidden
from tests.web.day import LEAK, NOISE

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 2000


async def upload(client: Client, content: bytes, name: str = "厨房.png", csrf: str | None = None) -> Any:
    page = await (await client.get(f"/tickets/{LEAK}")).text()
    form = aiohttp.FormData(quote_fields=False)  # as browsers write a name
    form.add_field("csrf", hidden(page, "csrf") if csrf is None else csrf)
    form.add_field("file", content, filename=name, content_type="image/png")
    return await client.post(f"/tickets/{LEAK}/files", data=form, allow_redirects=False)


def kept(settings: Settings) -> list[Path]:
    return [one for one in (settings.server.data_dir / "attachments").rglob("*") if one.is_file()]


async def test_a_photograph_is_kept_shown_and_removed(sign_in: SignIn, settings: Settings) -> None:
    client = await sign_in("lijia")
    assert (await upload(client, PNG, name="C:/photos/厨房.png")).status == 303
    page = await (await client.get(f"/tickets/{LEAK}")).text()
    assert "加文件：厨房.png" in page, "the name without the folder"
    shown = await client.get(f"/tickets/{LEAK}/files/1")
    assert (await shown.read(), shown.content_type) == (PNG, "image/png")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert (await client.get(f"/tickets/{NOISE}/files/1")).status == 404, "a file is at its own ticket only"
    csrf = {"csrf": hidden(page, "csrf")}
    assert (await client.post(f"/tickets/{NOISE}/files/1/remove", data=csrf)).status == 404
    assert (await client.post(f"/tickets/{LEAK}/files/1/remove", data=csrf)).status == 200
    assert (await client.get(f"/tickets/{LEAK}/files/1")).status == 404
    assert kept(settings) == []


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"<script>alert(1)</script>", 400, "只收照片"),
        (b"", 400, "10 MB"),
        (PNG + b"0" * LARGEST_BYTES, 400, "10 MB"),
        (PNG + b"0" * (LARGEST_BYTES + 100_000), 413, "文件太大了"),
    ],
)
async def test_what_is_no_picture_or_too_large_is_refused(
    sign_in: SignIn, settings: Settings, content: bytes, status: int, said: str
) -> None:
    response = await upload(await sign_in("lijia"), content)
    assert response.status == status
    assert said in await response.text()
    assert kept(settings) == []


async def test_a_file_needs_the_forms_token(sign_in: SignIn, settings: Settings) -> None:
    assert (await upload(await sign_in("lijia"), PNG, csrf="made up")).status == 403
    assert kept(settings) == []


async def test_the_ticket_on_paper(sign_in: SignIn) -> None:
    client = await sign_in("lijia")
    complaint = await (await client.get(f"/tickets/{NOISE}/print")).text()
    assert "投诉单" in complaint
    assert "楼上天天装修" in complaint
    assert "13600019052" not in complaint
    assert "服务单" in await (await client.get(f"/tickets/{LEAK}/print")).text()
