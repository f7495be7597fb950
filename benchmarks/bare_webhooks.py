"""The yardstick of webhooks.py: a bare aiohttp handler that checks the same HMAC and group-commits one row.

.venv/bin/python benchmarks/bare_webhooks.py DATABASE_URL PORT
"""

import asyncio
import base64
import hashlib
import hmac
import sys
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import web
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from callcenter.db.engine import Database  # noqa: E402

TOKEN = b"benchmark-token"
PUBLIC_URL = "http://bench.example"
ROWS = Table(
    "bare_events",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("call", String, nullable=False),
    Column("body", String, nullable=False),
)


def signature(url: str, pairs: list[tuple[str, str]]) -> str:
    signed = url + "".join(name + value for name, value in sorted(set(pairs)))
    return base64.b64encode(hmac.new(TOKEN, signed.encode(), hashlib.sha1).digest()).decode()


class Bare:
    """One queue, one transaction a batch, the answer after the commit."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queue: asyncio.Queue[tuple[dict[str, str], asyncio.Future[None]]] = asyncio.Queue()

    async def handle(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode("ascii")
        pairs = parse_qsl(body, keep_blank_values=True)
        found = request.headers.get("X-Twilio-Signature", "")
        if not hmac.compare_digest(found, signature(PUBLIC_URL + request.raw_path, pairs)):
            return web.Response(status=403)
        stored = asyncio.get_running_loop().create_future()
        self.queue.put_nowait(({"call": dict(pairs)["CallSid"], "body": body}, stored))
        await stored
        return web.Response(text="<Response/>", content_type="text/xml")

    async def write(self) -> None:
        while True:
            batch = [await self.queue.get()]
            while len(batch) < 256 and not self.queue.empty():
                batch.append(self.queue.get_nowait())
            async with self.database.writer.begin() as connection:
                await connection.execute(insert(ROWS), [row for row, _ in batch])
            for _, stored in batch:
                stored.set_result(None)


async def application(url: str) -> web.Application:
    database = Database(url)
    async with database.writer.begin() as connection:
        await connection.run_sync(ROWS.metadata.create_all)
    bare = Bare(database)
    app = web.Application()
    app.router.add_post("/ivr/{provider}/{hook}", bare.handle)
    app.router.add_get("/healthz", _health)
    writer = asyncio.create_task(bare.write())

    async def close(_: web.Application) -> None:
        writer.cancel()
        await database.close()

    app.on_cleanup.append(close)
    return app


async def _health(_: web.Request) -> web.Response:
    return web.Response(text="ok")


if __name__ == "__main__":
    web.run_app(application(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)
