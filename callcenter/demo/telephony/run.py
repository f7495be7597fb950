"""`callcenter demo --phones`: the whole product on a real Asterisk, with SIPp in the part of everybody else."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import aiohttp
from rich.live import Live

from callcenter.db.engine import Database
from callcenter.demo.call_script import ZONE, CallScript
from callcenter.demo.curtain import healthy, unless_ended
from callcenter.demo.director import Performance, is_settled
from callcenter.demo.environment import Environment, NotReady, new_users, prepare_database
from callcenter.demo.expectations import differences_by_telephone
from callcenter.demo.options import Options, Signals
from callcenter.demo.output import as_document, print_end, print_users, progress_line, results_table
from callcenter.demo.processes import Child, python_process
from callcenter.demo.stage import FarEndJournal, Played
from callcenter.demo.telephony.exchange import Exchange, asterisk_command
from callcenter.demo.telephony.lines import (
    NOTICE,
    VOICE_MAIL_PROMPT,
    Lines,
    exchange_of,
    write_telephone_settings,
)
from callcenter.demo.telephony.rehearsal import CALLS, Heard, Rehearsal, called_back, number_called_back
from callcenter.ivr.providers.asterisk.prompts import Prompts
from callcenter.reports.call_results import CallResult, call_results
from callcenter.voice.speech import SPEECH_FOLDER, OfflineSpeech

LOOK_SECONDS = 0.5
SETTLE_SECONDS = 150.0
NEAR = timedelta(seconds=5)
"""Between a phone's first message and the call's beginning as Asterisk has it."""
NO_JOURNAL = FarEndJournal(problems=(), placed=(), requests=0, repeated=0, reordered=0, lost=0)
MISSING = """\
{missing} not installed. Asterisk 22 and SIPp are needed; on Debian 12, as root:
  apt-get install sip-tester
  tests/asterisk/get-asterisk.sh /var/cache/callcenter/asterisk    (290 MB, touches no package of the system)
  make phone-demo        (elsewhere: ASTERISK_ROOT=FOLDER make phone-demo, or the system's own Asterisk)"""


def for_telephones(scripts: tuple[CallScript, ...], *, chosen: bool) -> tuple[CallScript, ...]:
    """Which of them are played, in their order; `chosen`: our six. Raises NotReady where something is missing."""
    found = {"Asterisk": asterisk_command(), "SIPp": shutil.which("sipp")}
    missing = [name for name, where in found.items() if not where]
    if missing:
        raise NotReady(MISSING.format(missing=" and ".join(missing)))
    if not chosen:
        return scripts
    by_name = {script.name: script for script in scripts}
    return tuple(by_name[name] for name in CALLS)


@dataclass(kw_only=True)
class Board:
    """What is known of the calls so far, and what is shown of it."""

    options: Options
    scripts: dict[str, CallScript]
    played: dict[str, Played] = field(default_factory=dict)
    results: dict[str, CallResult] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    _shown: set[str] = field(default_factory=set)

    @property
    def performance(self) -> Performance:
        return Performance(
            played=self.played, results=self.results, journal=NO_JOURNAL, complaints=tuple(self.complaints)
        )

    @property
    def unsettled(self) -> list[str]:
        return [name for name in self.played if not self._is_settled(name)]

    def _is_settled(self, name: str) -> bool:
        result = self.results.get(name)
        return is_settled(self.played[name], result, loses_final=False) and not self._is_owed(name, result)

    def _is_owed(self, name: str, result: CallResult | None) -> bool:
        """A call-back that falls due within the demonstration is waited for."""
        if result is None or not called_back([self.scripts[name]]):
            return False
        return not any(made.outcome for one in result.call_backs for made in one.tries)

    def take(self, results: Sequence[CallResult]) -> None:
        """The newest results; calls are told by their number and the time of their beginning."""
        for name, script in self.scripts.items():
            for result in results:
                if result.from_number == script.number and abs(result.started_at - script.dials_at) < NEAR:
                    self.results[name] = result
        if not self.options.console.is_terminal:
            for name in [one for one in self.played if one not in self._shown and self._is_settled(one)]:
                self._shown.add(name)
                line = progress_line(self.scripts[name], self.results.get(name))
                self.options.console.print(line, highlight=False, soft_wrap=True)


async def rehearse_by_telephone(
    options: Options, scripts: tuple[CallScript, ...], environment: Environment, signals: Signals
) -> int:
    users, console, began = new_users(), options.console, time.monotonic()
    database = Database(environment.database_url)
    board = Board(options=options, scripts={script.name: script for script in scripts})
    try:
        await prepare_database(database, users, now=datetime.now(UTC))
        async with _raised_curtain(environment, scripts) as (rehearsal, server):
            print_users(console, environment.public_url, users)
            await unless_ended(_perform(rehearsal, scripts, database, board), server)
            found = differences_by_telephone(scripts, board.results, board.complaints)
            print_end(console, scripts, board.performance, found)
            console.print(f"{len(scripts)} calls in {time.monotonic() - began:.0f} s.", highlight=False)
            if options.as_json:
                print(as_document(tuple(board.scripts.values()), board.performance, found), flush=True)
            if not options.once:
                print_users(console, environment.public_url, users)
                console.print("Serving until Ctrl-C.")
                signals.serving = True
                await unless_ended(signals.stop.wait(), server)
    finally:
        await database.close()
    return 1 if options.once and found else 0


@asynccontextmanager
async def _raised_curtain(
    environment: Environment, scripts: Sequence[CallScript]
) -> AsyncIterator[tuple[Rehearsal, Child]]:
    """The far ends and the server's process. Raises ExchangeFailed, ProcessFailed."""
    lines = Lines.of_this_process(residents=map(number_called_back, called_back(scripts)))
    exchange = exchange_of(environment, lines)
    write_telephone_settings(environment, exchange, password_file=environment.data_dir / "asterisk-password")
    rehearsal = Rehearsal(environment.data_dir / "phones", exchange, lines, await _heard(environment, exchange))
    try:
        await exchange.start()
        await rehearsal.stand_by(scripts)
        arguments = ["-m", "callcenter", "--config", str(environment.settings_file), "serve"]
        async with (
            aiohttp.ClientSession(trust_env=False) as session,
            python_process("server", arguments, log_file=environment.data_dir / "server.log") as server,
        ):
            await unless_ended(healthy(session, environment), server)
            yield rehearsal, server
    finally:
        await rehearsal.stop()
        await exchange.stop()


async def _heard(environment: Environment, exchange: Exchange) -> Heard:
    """Speaks the two texts once, as the server does, to know how long they take."""
    prompts = Prompts(OfflineSpeech(environment.data_dir / SPEECH_FOLDER), exchange.prompts)
    notice, voice_mail = [await prompts.of(text) for text in (NOTICE, VOICE_MAIL_PROMPT)]
    return Heard(notice_seconds=notice.seconds, voice_mail_seconds=voice_mail.seconds)


async def _perform(rehearsal: Rehearsal, scripts: Sequence[CallScript], database: Database, board: Board) -> None:
    """Plays the calls one after the other, and waits until the product has finished with the last."""
    looking = asyncio.create_task(_look(database, board))
    try:
        for script in scripts:
            board.scripts[script.name] = replace(script, dials_at=datetime.now(ZONE))
            began = await rehearsal.play(script)
            board.scripts[script.name] = replace(script, dials_at=began.astimezone(ZONE))
            board.played[script.name] = _played(script)
        for _ in range(round(SETTLE_SECONDS / LOOK_SECONDS)):
            if not board.unsettled:
                break
            await asyncio.sleep(LOOK_SECONDS)
        board.complaints += [
            f"{name}: the product had not finished with it after {SETTLE_SECONDS:.0f} s" for name in board.unsettled
        ]
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _played(script: CallScript) -> Played:
    """A call is recorded where somebody answered, or the resident left a message."""
    return Played(
        name=script.name,
        call_id="",
        status="completed",
        recordings=1 if script.resident is not None else 0,
        ended_at=datetime.now(UTC),
    )


async def _look(database: Database, board: Board) -> None:
    """Keeps the board up to date; on a terminal the table stands there from the first call on."""
    with Live(console=board.options.console, auto_refresh=False, transient=True) as live:
        while True:
            async with database.read() as session:
                board.take(await call_results(session))
            if board.options.console.is_terminal:
                live.update(results_table(tuple(board.scripts.values()), board.performance), refresh=True)
            await asyncio.sleep(LOOK_SECONDS)
