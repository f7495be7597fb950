"""`callcenter doctor`: one line for each thing that real calls need: what is wrong, and how to mend it."""

import os
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import engine_settings, engines_of_numbers, rules_of
from callcenter.app.surroundings import clock_of, opened_database
from callcenter.asr.models import check_model
from callcenter.commands.doctor_asterisk import asterisks
from callcenter.commands.finding import Finding
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.db.migrate import current_revision, newest_revision
from callcenter.db.recordings import RecordingRow, RecordingState
from callcenter.db.reminders import ReminderRow, ReminderState
from callcenter.db.users import UserRow
from callcenter.services.schema import in_one_line
from callcenter.services.spool import SPOOL_FILE, SpoolFull, spool_counts

TIMEOUT = aiohttp.ClientTimeout(total=10)
LARGEST_SKEW_SECONDS = 2.0
LEAST_FREE_BYTES = 2 * 10**9
LEVELS = {1: "agent", 2: "supervisor", 3: "deputy general manager"}


Check = Callable[[Settings, aiohttp.ClientSession], Awaitable[list[Finding]]]


async def doctor(settings: Settings) -> int:
    """Prints the findings; 1 if one of them keeps real calls from working."""
    findings = _rehearsal(settings)
    settings = settings.model_copy(update={"clock_file": None})
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        for check in CHECKS:
            findings += await check(settings, session)
    for finding in findings:
        mark = "ok  " if finding.remedy is None else ("FAIL" if finding.blocking else "warn")
        print(f"{mark} {finding.subject}: {finding.state}" + (f" -> {finding.remedy}" if finding.remedy else ""))
    return 1 if any(finding.remedy and finding.blocking for finding in findings) else 0


def _rehearsal(settings: Settings) -> list[Finding]:
    if settings.clock_file is None:
        return []
    remedy = "remove clock_file: the time of day, and with it every call and deadline, comes from that file"
    return [Finding(subject="clock_file", state=f"{settings.clock_file}, a rehearsal's", remedy=remedy)]


async def _configuration(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    twilio = settings.twilio
    wanted = {
        "twilio.account_sid": twilio.account_sid,
        "twilio.auth_token": twilio.auth_token.get_secret_value(),
        "twilio.from_number": twilio.from_number,
    }
    needed = not settings.asterisk or any(wanted.values())
    findings = [
        Finding(subject=key, state="not set", remedy=f"set {key}; without it no call comes in or goes out")
        for key, value in wanted.items()
        if needed and not value
    ]
    if not settings.agents:
        findings.append(
            Finding(subject="agents", state="none", remedy="add an [[agents]] table with id, name and phone for each")
        )
    if not settings.call_flow.fallback_number:
        findings.append(
            Finding(
                subject="call_flow.fallback_number",
                state="not set",
                remedy="set a number that is always answered; until then callers get voice mail when we cannot decide",
                blocking=False,
            )
        )
    return findings or [Finding(subject="configuration", state=f"{len(settings.agents)} agents")]


async def _told(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    """Who is phoned in an emergency, and who is told that a promise is about to be broken."""
    findings = []
    if settings.on_call:
        names = ", ".join(one.name for one in settings.on_call)
        findings.append(Finding(subject="on_call", state=f"{names}, phoned in this order by the rota"))
    else:
        remedy = "add an [[on_call]] table with name and phone; until then an emergency phones nobody"
        findings.append(Finding(subject="on_call", state="nobody", remedy=remedy, blocking=False))
    reachable = {one.level for one in settings.notify if one.urls}
    if not reachable:
        remedy = "add a [[notify]] table with name, level and urls; until then escalations show on the console only"
        return [*findings, Finding(subject="notify", state="nobody", remedy=remedy, blocking=False)]
    missing = [f"{level} ({LEVELS[level]})" for level in sorted(set(LEVELS) - reachable)]
    state = f"nobody for level {', '.join(missing)}" if missing else "somebody for every level"
    mend = "add a [[notify]] table for each" if missing else None
    return [*findings, Finding(subject="notify", state=state, remedy=mend, blocking=False)]


async def _calendar(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    """This year and the next: working time is guessed where the official calendar is not known."""
    calendar = rules_of(settings).calendar
    year = calendar.local(clock_of(settings).now()).year
    unknown = calendar.unknown_years((year, year + 1))
    if not unknown:
        return [Finding(subject="calendar", state=f"working days of {year} and {year + 1} are known")]
    years = " and ".join(str(one) for one in unknown)
    remedy = (
        "list the State Council's days off in calendar.holidays and the make-up working days in"
        " calendar.working_days, or update the chinesecalendar package"
    )
    state = f"working days of {years} are not known: Monday to Friday is taken"
    return [Finding(subject="calendar", state=state, remedy=remedy, blocking=False)]


async def _database(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    shown = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    file = make_url(settings.database_url).database or ""
    if shown == "SQLite" and not Path(file).exists():
        return [Finding(subject="database", state=f"there is no {file} yet", remedy="run `callcenter migrate`")]
    try:
        async with opened_database(settings) as database:
            current, newest = await current_revision(database), newest_revision()
            if current != newest:
                state = f"{shown}, schema {current or 'none'}, this version needs {newest}"
                return [Finding(subject="database", state=state, remedy="run `callcenter migrate`")]
            async with database.read() as session:
                has_users = (await session.execute(select(UserRow.id).limit(1))).first() is not None
            backlog = [*await _recordings(database), *await _handed_over(database)]
    except (SQLAlchemyError, OSError) as error:
        state = f"{shown} does not answer ({in_one_line(error)})"
        return [Finding(subject="database", state=state, remedy="check database.url and that the server is running")]
    findings = [Finding(subject="database", state=f"{shown}, schema {current}"), *backlog]
    if not has_users:
        remedy = "run `callcenter user add LOGIN --name NAME --role admin`"
        findings.append(Finding(subject="users", state="none", remedy=remedy))
    return findings


async def _recordings(database: Database) -> list[Finding]:
    async with database.read() as session:
        query = select(RecordingRow.state, func.count()).group_by(RecordingRow.state)
        counts = {RecordingState(state): number for state, number in await session.execute(query)}
    waiting = counts.get(RecordingState.PENDING, 0) + counts.get(RecordingState.RUNNING, 0)
    failed = counts.get(RecordingState.FAILED, 0)
    state = f"{waiting} to be transcribed, {failed} failed"
    remedy = "their tickets say that somebody must listen, and why; the worker's log has more" if failed else None
    return [Finding(subject="recordings", state=state, remedy=remedy, blocking=False)]


async def _handed_over(database: Database) -> list[Finding]:
    async with database.read() as session:
        query = select(func.count()).where(ReminderRow.state == ReminderState.HANDED_OVER)
        number = (await session.execute(query)).scalar_one()
    remedy = "phone these residents by hand; `callcenter reminders list` shows them" if number else None
    return [Finding(subject="reminders", state=f"{number} handed over to a person", remedy=remedy, blocking=False)]


async def _spool(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    """Events that the database has not taken: it has been away, or will never take them."""
    try:
        counts = spool_counts(settings.server.data_dir / SPOOL_FILE)
    except SpoolFull as error:
        return [Finding(subject="spool", state=str(error), remedy="let this user read it", blocking=False)]
    findings = []
    if counts.waiting:
        remedy = "start `callcenter serve` with the database running: it moves them there, oldest first"
        findings.append(Finding(subject="spool", state=f"{counts.waiting} events wait", remedy=remedy, blocking=False))
    if counts.refused:
        remedy = f"the database refuses them for good; table spool in {SPOOL_FILE}, column refused, says why"
        findings.append(Finding(subject="spool", state=f"{counts.refused} events refused", remedy=remedy))
    return findings or [Finding(subject="spool", state="empty")]


async def _proxies(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    server = settings.server
    if not server.public_url.startswith("https://") or server.trusted_proxies:
        return []
    remedy = "list the address of the proxy with TLS, for example 127.0.0.1: else its visitors share one login limit"
    return [Finding(subject="server.trusted_proxies", state="none", remedy=remedy, blocking=False)]


async def _models_of_numbers(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    findings = []
    for number, engine in engines_of_numbers(settings).items():
        found, subject = await check_model(engine), f"speech.numbers {number}"
        state = found.problem or f"{found.path.name} works, {found.sample_rate_hz} Hz"
        remedy = "fetch it with `callcenter models get`, or give another one: calls to this number are not heard"
        findings.append(Finding(subject=subject, state=state, remedy=remedy if found.problem else None))
    return findings


async def _model(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    found = await check_model(engine_settings(settings))
    if found.problem:
        return [Finding(subject="speech.model", state=found.problem, remedy="`callcenter models list` shows others")]
    state = f"{found.path.name} works, {found.sample_rate_hz} Hz"
    if found.path.name != "demo-zh":
        return [Finding(subject="speech.model", state=state)]
    remedy = "it knows one synthetic voice; `callcenter models get vosk-model-cn-0.22`, then set speech.model"
    return [Finding(subject="speech.model", state=state, remedy=remedy, blocking=False)]


async def _live(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    """Transcription while calls go on: off, on, or on without a way for the provider's sound to reach us."""
    if not settings.speech.live:
        return [Finding(subject="speech.live", state="off: tickets come from recordings")]
    number = settings.speech.live_processes or os.cpu_count() or 1
    state = f"on, {number} processes of {settings.speech.live_calls_per_process} calls each"
    remedy = None
    if not settings.server.public_url.startswith("https://"):
        remedy = (
            "providers send live sound to wss addresses only: set an https server.public_url, or speech.live = false"
        )
    return [Finding(subject="speech.live", state=state, remedy=remedy, blocking=False)]


async def _disk(settings: Settings, _: aiohttp.ClientSession) -> list[Finding]:
    """Looks and writes nothing: a folder that is not there yet must be one that can be made."""
    folder = settings.server.data_dir.absolute()
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        remedy = "give server.data_dir a folder that this user may write to"
        return [Finding(subject="server.data_dir", state=f"{standing} cannot be written to", remedy=remedy)]
    free = shutil.disk_usage(standing).free
    need = "make room: recordings need about 1 MB a minute" if free < LEAST_FREE_BYTES else None
    state = f"{folder}, {free / 1e9:.1f} GB free"
    return [Finding(subject="server.data_dir", state=state, remedy=need, blocking=False)]


async def _clock(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    here = clock_of(settings).now().astimezone(settings.zone)
    state = f"{here:%Y-%m-%d %H:%M:%S} {settings.calendar.timezone}"
    try:
        async with session.get(settings.twilio.api_url) as response:
            stamp = response.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError):
        stamp = None
    if stamp is None:
        state += ", not compared (the provider does not answer)"
        return [Finding(subject="clock", state=state)]
    skew = (datetime.now(UTC) - parsedate_to_datetime(stamp)).total_seconds()
    if abs(skew) > LARGEST_SKEW_SECONDS:
        remedy = "synchronise this machine's clock (NTP): ring times are compared with the provider's"
        return [Finding(subject="clock", state=f"{state}, {skew:+.0f} s from the provider's", remedy=remedy)]
    return [Finding(subject="clock", state=f"{state}, agrees with the provider's")]


async def _public_url(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    url = settings.server.public_url
    parts = urlsplit(url)
    if settings.asterisk and not settings.twilio.account_sid:
        return []  # nobody calls back from outside
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        remedy = "set server.public_url to the https address under which the provider reaches this machine"
        return [Finding(subject="server.public_url", state=f"{url} is this machine only", remedy=remedy)]
    findings = []
    if parts.scheme != "https":
        remedy = "use https: signatures do not hide residents' numbers"
        findings.append(Finding(subject="server.public_url", state=url, remedy=remedy))
    try:
        async with session.get(f"{url}/healthz") as response:
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        remedy = "start `callcenter serve` and point the address's proxy to it"
        state = f"{url} cannot be reached ({type(error).__name__})"
        return [*findings, Finding(subject="server.public_url", state=state, remedy=remedy)]
    if status != 200:
        remedy = "the address must lead to this server, path and all"
        findings.append(Finding(subject="server.public_url", state=f"/healthz answers {status}", remedy=remedy))
    return findings or [Finding(subject="server.public_url", state=f"{url} leads here")]


async def _provider(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    twilio = settings.twilio
    if not twilio.account_sid or not twilio.from_number:
        return []
    headers = {"Authorization": aiohttp.encode_basic_auth(twilio.account_sid, twilio.auth_token.get_secret_value())}
    address = f"{twilio.api_url.rstrip('/')}/2010-04-01/Accounts/{twilio.account_sid}/IncomingPhoneNumbers.json"
    try:
        async with session.get(address, params={"PhoneNumber": twilio.from_number}, headers=headers) as response:
            if response.status == 401:
                remedy = "check twilio.account_sid and twilio.auth_token"
                return [Finding(subject="provider", state="refuses our credentials", remedy=remedy)]
            response.raise_for_status()
            numbers = (await response.json()).get("incoming_phone_numbers", [])
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        remedy = "check twilio.api_url and the network"
        return [Finding(subject="provider", state=f"does not answer ({type(error).__name__})", remedy=remedy)]
    if not numbers:
        remedy = "check twilio.from_number"
        return [Finding(subject="provider", state=f"has no number {twilio.from_number}", remedy=remedy)]
    return _hooks(settings, numbers[0])


def _hooks(settings: Settings, number: dict[str, Any]) -> list[Finding]:
    """The number's own addresses at the provider, the fallback above all: it answers when we do not."""
    base = f"{settings.server.public_url}/ivr/twilio"
    wanted = {
        "voice_url": f"{base}/voice",
        "voice_fallback_url": f"{base}/fallback",
        "status_callback": f"{base}/status",
    }
    return [
        Finding(
            subject=f"provider {key}",
            state=str(number.get(key) or "not set"),
            remedy=None if _fits(key, str(number.get(key) or ""), address) else _remedy(key, address),
        )
        for key, address in wanted.items()
    ]


def _fits(key: str, found: str, wanted: str) -> bool:
    """The fallback may lead anywhere but to nothing: best to a server that does not go down with ours."""
    return bool(found) if key == "voice_fallback_url" else found == wanted


def _remedy(key: str, address: str) -> str:
    if key == "voice_fallback_url":
        return f"set it to a static TwiML page elsewhere, or at least to {address}"
    return f"set it to {address}"


CHECKS: tuple[Check, ...] = (
    *(_configuration, _told, _calendar, _database, _spool, _model, _models_of_numbers, _live, _disk, _clock),
    *(_public_url, _proxies, _provider, asterisks),
)
