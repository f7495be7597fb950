"""The provider's far end as a process of its own: `python -m callcenter.demo.simulator --config FILE`.

It prints one line of JSON with its address when it is ready, and is directed over HTTP: which call to play
next, how far to move the clock. It stops when its standard input is closed.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from callcenter.demo.call_script import CallScript, read_calls
from callcenter.demo.call_toml import ScriptError
from callcenter.demo.clock import ClockFileUnusable, SharedClock
from callcenter.demo.far_end.exchange import Account, Exchange
from callcenter.demo.far_end.inbound import play_inbound
from callcenter.demo.far_end.people import phones_of
from callcenter.demo.far_end.rest import EXCHANGE, PHONES, PLACED, TASKS, provider_errors, routes
from callcenter.demo.far_end.webhooks import Webhooks

SCRIPTS = web.AppKey("scripts", dict[str, CallScript])
rehearsal = web.RouteTableDef()


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig:
    """`agents`: address (sip:..., +86...) -> agent id. `on_call`: number -> the keys that this person presses."""

    account_sid: str
    auth_token: str = field(repr=False)
    from_number: str
    public_url: str
    clock_file: str
    calls: str
    agents: dict[str, str]
    on_call: dict[str, str] = field(default_factory=dict)
    port: int = 0
    seed: str = "demo"

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=2), encoding="utf-8")
        path.chmod(0o600)


@rehearsal.post("/rehearsal/calls/{name}")
async def play(request: web.Request) -> web.Response:
    """Plays one call from beginning to end."""
    script = request.app[SCRIPTS].get(request.match_info["name"])
    if script is None:
        return web.json_response({"error": "no such call"}, status=404)
    played = await play_inbound(request.app[EXCHANGE], script, request.app[PHONES])
    return web.json_response(played.as_json())


@rehearsal.post("/rehearsal/clock")
async def move_clock(request: web.Request) -> web.Response:
    """Moves the time on, but not in the middle of a call."""
    exchange, to = request.app[EXCHANGE], datetime.fromisoformat((await request.json())["to"])
    async with exchange.playing:
        exchange.clock.advance_to(to)
    return web.json_response({"now": exchange.clock.now().isoformat()})


@rehearsal.get("/rehearsal/journal")
async def journal(request: web.Request) -> web.Response:
    exchange = request.app[EXCHANGE]
    placed = [
        {
            "sid": call.sid,
            "to": call.to,
            "status": call.status,
            "heard": call.heard,
            "at": call.created_at.isoformat(),
            "is_over": call.ended_at is not None,
        }
        for call in exchange.calls.values()
        if call.direction == "outbound-api"
    ]
    return web.json_response({**exchange.journal.as_json(), "placed": placed})


def simulator_app(config: SimulatorConfig) -> web.Application:
    """Raises ScriptError, ClockFileUnusable."""
    scripts = read_calls(Path(config.calls), agents=frozenset(config.agents.values()))
    clock = SharedClock(Path(config.clock_file))
    account = Account(
        sid=config.account_sid,
        auth_token=config.auth_token,
        number=config.from_number,
        public_url=config.public_url,
    )
    app = web.Application(middlewares=[provider_errors], client_max_size=256 * 1024)
    app[SCRIPTS] = {script.name: script for script in scripts}
    app[PHONES] = phones_of(scripts, config.agents, config.on_call)
    app[PLACED] = {}
    app[TASKS] = set()

    async def exchange_open(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(trust_env=False) as session:
            app[EXCHANGE] = Exchange(account, Webhooks(session, config.auth_token), clock, seed=config.seed)
            yield
            for task in app[TASKS]:
                task.cancel()
            await asyncio.gather(*app[TASKS], return_exceptions=True)
        clock.close()

    app.cleanup_ctx.append(exchange_open)
    app.add_routes(routes)
    app.add_routes(rehearsal)
    return app


async def serve(config: SimulatorConfig) -> None:
    """Until standard input ends."""
    app = simulator_app(config)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", config.port)
        await site.start()
        port = runner.addresses[0][1]
        app[EXCHANGE].base_url = f"http://127.0.0.1:{port}"
        print(json.dumps({"port": port}), flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)
    finally:
        await runner.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(prog="callcenter.demo.simulator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the fields of SimulatorConfig")
    config = SimulatorConfig(**json.loads(parser.parse_args().config.read_text(encoding="utf-8")))
    try:
        asyncio.run(serve(config))
    except (ScriptError, ClockFileUnusable, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
