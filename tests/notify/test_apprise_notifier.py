"""Real messages over HTTP to a real server, through apprise."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from callcenter.notify.apprise_notifier import AppriseNotifier
from callcenter.ports import Notice, NotTold

NOTICE = Notice(title="【客服主管】GD-1124-0001 办结即将超时", body="时限：11-24 18:00", urgent=True)
TOKEN = "s3cr3t-t0ken-9876"


class Receiver:
    """The far end: keeps what was posted, answers with `status`, after `seconds`."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        self.status = 200
        self.seconds = 0.0

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        await asyncio.sleep(self.seconds)
        return web.Response(status=self.status)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    async with TestServer(app) as running:
        yield running


@pytest.fixture
def root_log() -> Iterator[list[str]]:
    """What would be written by a program that logs everything."""
    lines: list[str] = []

    class Keeps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name} {record.getMessage()}")

    root, handler = logging.getLogger(), Keeps()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


def address(server: TestServer, query: str = "") -> SecretStr:
    return SecretStr(f"json://{server.host}:{server.port}/{TOKEN}{query}")


async def test_title_and_body_arrive(server: TestServer, receiver: Receiver) -> None:
    async with AppriseNotifier({"客服主管": [address(server)]}) as notifier:
        await notifier.tell("客服主管", 0, NOTICE)
    (got,) = receiver.got
    assert (got["title"], got["message"], got["type"]) == (NOTICE.title, NOTICE.body, "failure")


async def test_a_failure_is_told_and_shows_no_secret(
    server: TestServer, receiver: Receiver, root_log: list[str]
) -> None:
    receiver.status = 503
    async with AppriseNotifier({"客服主管": [address(server)]}) as notifier:
        with pytest.raises(NotTold, match=r"^json: .*503") as failure:
            await notifier.tell("客服主管", 0, NOTICE)
    assert TOKEN not in str(failure.value)
    assert root_log, "the log of the libraries is listened to"
    assert not [line for line in root_log if TOKEN in line and "aiohttp.access" not in line]


async def test_nobody_there(unused_tcp_port: int) -> None:
    people = {"客服主管": [SecretStr(f"json://127.0.0.1:{unused_tcp_port}/{TOKEN}")]}
    async with AppriseNotifier(people) as notifier:
        with pytest.raises(NotTold, match="json: ") as failure:
            await notifier.tell("客服主管", 0, NOTICE)
    assert TOKEN not in str(failure.value)


async def test_an_address_that_apprise_cannot_read() -> None:
    async with AppriseNotifier({"客服主管": [SecretStr(f"nosuch://{TOKEN}")]}) as notifier:
        with pytest.raises(NotTold, match=r"^nosuch: apprise cannot read this address$"):
            await notifier.tell("客服主管", 0, NOTICE)


async def test_a_person_or_channel_that_is_gone() -> None:
    async with AppriseNotifier({}) as notifier:
        with pytest.raises(NotTold, match="not in the settings"):
            await notifier.tell("客服主管", 0, NOTICE)


async def test_a_far_end_that_hangs_does_not_hold_up_the_loop(server: TestServer, receiver: Receiver) -> None:
    receiver.seconds = 1.0
    async with AppriseNotifier({"客服主管": [address(server)]}, patience_seconds=0.3) as notifier:
        telling = asyncio.create_task(notifier.tell("客服主管", 0, NOTICE))
        longest, last = 0.0, time.monotonic()
        while not telling.done():
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        with pytest.raises(NotTold, match=r"no answer within 0\.3 s"):
            await telling
        assert longest < 0.25


async def test_the_channels_of_mainland_companies_are_known() -> None:
    import apprise

    for one in ("wecombot://abcdefgh-1234", "dingtalk://" + "a" * 64, "feishu://abcdef12", "mailtos://u:p@example.com"):
        assert apprise.Apprise().add(one), one
