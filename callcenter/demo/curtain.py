"""Raising the curtain: starts the simulator and the product's server and waits until both are ready."""

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from callcenter.demo.clock import SharedClock
from callcenter.demo.environment import HOTLINE, ON_CALL, Environment, agent_addresses, write_settings
from callcenter.demo.processes import Child, ProcessFailed, python_process
from callcenter.demo.simulator import SimulatorConfig
from callcenter.demo.stage import Stage

T = TypeVar("T")
START_SECONDS = 120.0


@asynccontextmanager
async def raised_curtain(
    environment: Environment, clock: SharedClock, *, calls: Path
) -> AsyncIterator[tuple[Stage, Child]]:
    """The stage and the server's process; the simulator goes first, as the server's settings name its port.

    Raises ProcessFailed.
    """
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(trust_env=False))
        simulator, port = await stack.enter_async_context(_simulator(environment, calls))
        write_settings(environment, simulator_port=port)
        arguments = ["-m", "callcenter", "--config", str(environment.settings_file), "serve"]
        log_file = environment.data_dir / "server.log"
        server = await stack.enter_async_context(python_process("server", arguments, log_file=log_file))
        await unless_ended(healthy(session, environment), server, simulator)
        account_sid, auth_token = environment.account_sid, environment.auth_token
        yield Stage(session, clock, port=port, account_sid=account_sid, auth_token=auth_token), server


@asynccontextmanager
async def _simulator(environment: Environment, calls: Path) -> AsyncIterator[tuple[Child, int]]:
    config = SimulatorConfig(
        account_sid=environment.account_sid,
        auth_token=environment.auth_token,
        from_number=HOTLINE,
        public_url=environment.public_url,
        clock_file=str(environment.clock_file),
        calls=str(calls.resolve()),
        agents=agent_addresses(),
        on_call={person["phone"]: "1" for person in ON_CALL},
    )
    file = environment.data_dir / "simulator.json"
    config.write(file)
    arguments = ["-m", "callcenter.demo.simulator", "--config", str(file)]
    log_file = environment.data_dir / "simulator.log"
    async with python_process("simulator", arguments, log_file=log_file, speaks=True) as child:
        yield child, int(json.loads(await child.first_line())["port"])


async def healthy(session: aiohttp.ClientSession, environment: Environment) -> None:
    """Returns once the server serves, and has its connections. Raises ProcessFailed when it takes too long."""
    timeout = aiohttp.ClientTimeout(total=2)
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        try:
            async with session.get(f"{environment.public_url}/healthz", timeout=timeout) as response:
                if response.status == 200 and _is_connected(await response.json()):
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.1)
    raise ProcessFailed(f"the server does not answer at {environment.public_url}/healthz after {START_SECONDS:.0f} s")


def _is_connected(health: Mapping[str, Any]) -> bool:
    return all(switch["connected"] for switch in health.get("asterisk", {}).values())


async def unless_ended(work: Coroutine[Any, Any, T], *children: Child) -> T:
    """The work's result. Raises ProcessFailed as soon as one of the processes is gone."""
    task = asyncio.create_task(work)
    watchers = [asyncio.create_task(child.ended()) for child in children]
    try:
        await asyncio.wait({task, *watchers}, return_when=asyncio.FIRST_COMPLETED)
        for watcher in watchers:
            if watcher.done() and not task.done():
                watcher.result()
        return await task
    finally:
        for one in (task, *watchers):
            one.cancel()
        await asyncio.gather(task, *watchers, return_exceptions=True)
