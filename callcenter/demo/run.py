"""`callcenter demo`: the whole product on a virtual morning, with a simulated provider at its far end."""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from rich.console import Console

from callcenter.db.engine import Database
from callcenter.demo.call_script import BUILT_IN_CALLS, START, CallScript, read_calls
from callcenter.demo.call_toml import ScriptError
from callcenter.demo.clock import SharedClock
from callcenter.demo.curtain import raised_curtain, unless_ended
from callcenter.demo.director import Director, Performance
from callcenter.demo.environment import (
    Environment,
    NotReady,
    agent_addresses,
    new_environment,
    new_users,
    prepare_database,
)
from callcenter.demo.expectations import differences
from callcenter.demo.options import Options, Signals
from callcenter.demo.output import as_document, print_end, print_users, progress_line
from callcenter.demo.processes import ProcessFailed
from callcenter.demo.stage import Stage, StageFailed
from callcenter.demo.telephony.exchange import ExchangeFailed
from callcenter.demo.telephony.run import for_telephones, rehearse_by_telephone
from callcenter.reports.call_results import CallResult, call_results

INTERRUPTED = 130
PLAIN_WIDTH = 132
"""Columns where the output is no terminal, such as CI's log."""


def run_demo(
    *,
    once: bool,
    calls: Path | None,
    as_json: bool,
    port: int,
    data_dir: Path | None,
    live: bool = False,
    phones: bool = False,
) -> int:
    """Exit code: 0 as expected, 1 differences or a failure, 2 it could not begin, 130 stopped before the end."""
    stream = sys.stderr if as_json else sys.stdout
    console = Console(file=stream, width=None if stream.isatty() else PLAIN_WIDTH)
    options = Options(once=once, calls=calls or BUILT_IN_CALLS, as_json=as_json, console=console)
    folder = data_dir or Path(tempfile.mkdtemp(prefix="callcenter-demo-"))
    code = 1
    try:
        scripts = read_calls(options.calls, agents=frozenset(agent_addresses().values()))
        if phones:
            scripts = for_telephones(scripts, chosen=calls is None)
        environment = new_environment(folder, port, hears_live=live)
        rehearse = rehearse_by_telephone if phones else _rehearse
        code = asyncio.run(_until_stopped(lambda signals: rehearse(options, scripts, environment, signals)))
    except (NotReady, ScriptError) as error:
        code = 2
        print(f"callcenter demo: {error}", file=sys.stderr)
    except (ProcessFailed, StageFailed, ExchangeFailed) as error:
        print(f"callcenter demo: {error}", file=sys.stderr)
    finally:
        _leave(console, folder, keep=code != 2 and (data_dir is not None or code == 1), ours=data_dir is None)
    return code


def _leave(console: Console, folder: Path, *, keep: bool, ours: bool) -> None:
    """A folder that we made is removed again, unless something in it is to be looked at."""
    if keep:
        console.print(f"Data and logs: {folder}", highlight=False)
    elif ours:
        shutil.rmtree(folder, ignore_errors=True)


async def _until_stopped(rehearse: Callable[[Signals], Coroutine[Any, Any, int]]) -> int:
    """Plays until the end or until a signal stops it; nothing that was started is left behind."""
    signals, loop = Signals(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, signals.stop.set)
    work = asyncio.create_task(rehearse(signals))
    stopped = asyncio.create_task(signals.stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return await work if work.done() or signals.serving else INTERRUPTED
    finally:
        for task in (work, stopped):
            task.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)


async def _rehearse(
    options: Options, scripts: tuple[CallScript, ...], environment: Environment, signals: Signals
) -> int:
    users, console, began = new_users(), options.console, time.monotonic()
    database = Database(environment.database_url)
    try:
        await prepare_database(database, users, now=START)
        clock = SharedClock.create(environment.clock_file, START)
        async with raised_curtain(environment, clock, calls=options.calls) as (stage, server):
            print_users(console, environment.public_url, users)
            performance = await unless_ended(_perform(stage, scripts, database, console), server)
            found = differences(scripts, performance)
            print_end(console, scripts, performance, found)
            console.print(f"{len(scripts)} calls in {time.monotonic() - began:.0f} s.", highlight=False)
            if options.as_json:
                print(as_document(scripts, performance, found), flush=True)
            if not options.once:
                print_users(console, environment.public_url, users)
                console.print("Serving until Ctrl-C.")
                signals.serving = True
                await unless_ended(signals.stop.wait(), server)
    finally:
        await database.close()
    return 1 if options.once and found else 0


async def _perform(stage: Stage, scripts: tuple[CallScript, ...], database: Database, console: Console) -> Performance:
    async def results() -> list[CallResult]:
        async with database.read() as session:
            return await call_results(session)

    def show(script: CallScript, result: CallResult | None) -> None:
        console.print(progress_line(script, result), highlight=False, soft_wrap=True)

    return await Director(stage, scripts, results=results, show=show).perform()
