"""The server: webhooks, console, folding of calls, scheduler, and one embedded worker."""

import asyncio
import contextlib
import functools
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace

import aiohttp
import structlog
from aiohttp import web
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.alarms import add_alarm_ticks
from callcenter.app.asterisk import ari_clients, dialler_of, keep_prompts, switch_of
from callcenter.app.calendar_years import ONCE_A_DAY_SECONDS, warn_of_unknown_years
from callcenter.app.live import LiveParts, live_parts, live_tickets
from callcenter.app.parts import (
    callers_of,
    known_callers,
    media_of,
    on_duty,
    providers_of,
    ring_rule,
    rules_of,
    twiml_writer,
)
from callcenter.app.reload import RELOAD, end_server, end_when_settings_changed
from callcenter.app.surroundings import clock_of
from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine
from callcenter.ivr.media import MediaEdge
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.providers.asterisk.control import AsteriskControl
from callcenter.ivr.providers.asterisk.lookup import AsteriskLookup
from callcenter.ivr.providers.asterisk.names import NAME as ASTERISK
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ivr.providers.twilio_control import TwilioControl
from callcenter.ivr.providers.twilio_rest import TwilioRest
from callcenter.ivr.providers.twiml import NAME as TWILIO
from callcenter.ivr.webhooks import WebhookEdge
from callcenter.jobs.folding import FoldingLoop
from callcenter.jobs.scheduler import Scheduler
from callcenter.jobs.supervisor import WorkerSupervisor
from callcenter.ports import CallLookup, Clock, Dialler
from callcenter.reports.count_days import count_some_days
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.arrived_requests import Arrivals
from callcenter.services.ask_after_calls import ask_after_calls
from callcenter.services.call_controls import CallControls
from callcenter.services.call_outcomes import record_outcome
from callcenter.services.close_gaps import close_gaps
from callcenter.services.console_settings import ConsoleSettings
from callcenter.services.dial_due_reminders import dial_due_reminders
from callcenter.services.find_incidents import find_incidents
from callcenter.services.fold_calls import WhenFolded
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.services.inbox import EventInbox
from callcenter.services.known_callers import KnownCallersInMemory
from callcenter.services.known_incidents import KnownIncidents
from callcenter.services.missed_calls import plan_missed_call
from callcenter.services.news import News
from callcenter.services.on_call_answers import record_on_call
from callcenter.services.progress_by_phone import ProgressByPhone
from callcenter.services.queue_call_backs import plan_queue_call_back
from callcenter.services.retention import delete_old
from callcenter.services.schema import DatabaseAway, make_ready, until_ready
from callcenter.services.search_index import index_tickets
from callcenter.services.spool import SPOOL_FILE, Spool
from callcenter.voice.speech import SPEECH_FOLDER, OfflineSpeech
from callcenter.web import add_console

log = structlog.get_logger()

DATABASE = web.AppKey("database", Database)
INBOX = web.AppKey("inbox", EventInbox)
READY = web.AppKey("ready", asyncio.Event)
"""Set once the database has the schema that this version needs."""

LIVE = web.AppKey("live", LiveParts)
"""Only where calls are transcribed while they go on."""

SWITCHES: web.AppKey[dict[str, AsteriskSwitch]] = web.AppKey("switches", dict)
"""Our connections to Asterisks, by name."""

CLOSE_GAPS_SECONDS = 30.0
LIVE_TICKETS_SECONDS = 2.0
ASK_AFTER_SECONDS = 60.0
INCIDENTS_SECONDS = 5.0
COUNT_DAYS_SECONDS = 20.0
SEARCH_INDEX_SECONDS = 1.0
RETENTION_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the running server consists of."""

    settings: Settings
    clock: Clock
    database: Database
    inbox: EventInbox
    rules: FollowUpRules
    live: LiveParts | None
    duty: AgentsOnDuty
    news: News
    call_flow: CallFlow
    controls: CallControls
    known: KnownCallersInMemory
    callers: CallersOnTheLine
    progress: ProgressOnTheLine


def web_application(
    settings: Settings, *, config_file: str | None = None, console: ConsoleSettings | None = None
) -> web.Application:
    """The server. `console`: settings can be changed there, and are taken into use by ending with RELOAD set.

    Everything that is opened is closed again in `cleanup_ctx`, in reverse order.

    Its start raises SchemaOutdated; a database that is away keeps nothing from starting.
    """
    clock = clock_of(settings)
    database = Database(settings.database_url)
    inbox = EventInbox(database, Spool(settings.server.data_dir / SPOOL_FILE))
    rules = rules_of(settings)
    live = live_parts(settings, database, clock=clock, rules=rules) if settings.speech.live else None
    news = News()
    duty = on_duty(settings, database, clock=clock, news=news)
    call_flow = CallFlow(
        settings.call_flow,
        settings.agents,
        on_call=frozenset(one.phone for one in settings.on_call),
        hears_live=live is not None,
        available=duty.available,
    )
    known = known_callers(settings, database)
    callers = callers_of(settings, duty, known)
    rules = replace(rules, somebody_is_free=duty.somebody_is_free)
    progress = ProgressOnTheLine(
        ProgressByPhone(database=database, clock=clock, rules=rules),
        incidents=KnownIncidents(database=database, clock=clock),
    )
    parts = Parts(
        settings=settings,
        clock=clock,
        database=database,
        inbox=inbox,
        rules=rules,
        live=live,
        duty=duty,
        news=news,
        call_flow=call_flow,
        controls=CallControls(database, clock=clock),
        known=known,
        callers=callers,
        progress=progress,
    )
    app = web.Application(client_max_size=1024 * 1024)
    app[DATABASE], app[INBOX] = database, inbox
    # First, so that nothing reads a database that is another version's, and all that reads has ended when it is closed.
    app.cleanup_ctx.append(lambda app: _running(app, parts, config_file))
    arrivals = Arrivals()
    edge = WebhookEdge(
        providers=providers_of(settings),
        call_flow=call_flow,
        inbox=inbox,
        clock=clock,
        public_url=settings.server.public_url,
        progress=progress,
        callers=callers,
        arrivals=arrivals,
    )
    edge.add_routes(app)
    if live is not None:
        app[LIVE] = live
        public_url = settings.server.public_url
        media = MediaEdge(providers=media_of(settings), listener=live.listener, clock=clock, public_url=public_url)
        media.add_routes(app)
    app[READY], app[SWITCHES], app[RELOAD] = asyncio.Event(), {}, asyncio.Event()
    app.router.add_get("/healthz", _health)
    speech = OfflineSpeech(settings.server.data_dir / SPEECH_FOLDER)
    board = live.board if live is not None else None
    add_console(
        app,
        database=database,
        settings=settings,
        clock=clock,
        speech=speech,
        live=board,
        live_tickets=live.listener.tickets if live is not None else None,
        duty=duty,
        news=news,
        controls=parts.controls,
        console=console,
        arrivals=arrivals,
    )
    if console is not None:
        app.cleanup_ctx.append(functools.partial(_ready_for_changes, parts=parts, console=console))
    return app


async def _ready_for_changes(app: web.Application, *, parts: Parts, console: ConsoleSettings) -> AsyncIterator[None]:
    looking = end_when_settings_changed(parts.database, console, clock=parts.clock, reload=app[RELOAD], stop=end_server)
    task = asyncio.create_task(looking, name="settings")
    task.add_done_callback(_say_if_failed)
    yield
    await _cancel(task)


async def _health(request: web.Request) -> web.Response:
    try:
        async with asyncio.timeout(1), request.app[DATABASE].read() as session:
            await session.execute(text("SELECT 1"))
    except (TimeoutError, SQLAlchemyError, OSError):
        return web.json_response({"status": "the database does not answer"}, status=503)
    if not request.app[READY].is_set():
        return web.json_response({"status": "the database's schema is not ready"}, status=503)
    more = {"live": request.app[LIVE].health()} if LIVE in request.app else {}
    if request.app[SWITCHES]:
        more["asterisk"] = {name: switch.health() for name, switch in request.app[SWITCHES].items()}
    return web.json_response({"status": "ok"} | more)


async def _running(app: web.Application, parts: Parts, config_file: str | None) -> AsyncIterator[None]:
    settings, database = parts.settings, parts.database
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        with contextlib.suppress(DatabaseAway):  # then `_work` says so and waits for it
            await make_ready(database)
        await parts.inbox.start()
        stack.push_async_callback(parts.inbox.close)
        if parts.live is not None:
            await stack.enter_async_context(parts.live.recognisers)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        rest = TwilioRest(settings.twilio, twiml_writer(settings), session, agents=settings.agents)
        folding = FoldingLoop(
            database,
            ring_rule(settings),
            parts.clock,
            parts.inbox.stored,
            when_folded(parts.rules),
            news=parts.news,
            storing=lambda: parts.inbox.busy,
        )
        switches = _switches(parts, session)
        app[SWITCHES].update(switches)
        parts.controls.providers.update({TWILIO: TwilioControl(rest), ASTERISK: AsteriskControl(switches)})
        lookups: dict[str, CallLookup] = {TWILIO: rest, ASTERISK: AsteriskLookup(switches)}
        dialler = dialler_of(settings, switches, otherwise=rest)
        scheduler = _scheduler(parts, lookups=lookups, dialler=dialler)
        await add_alarm_ticks(
            stack,
            scheduler,
            settings,
            database=database,
            clock=parts.clock,
            dialler=dialler,
            rules=parts.rules,
            claimer=_claimer(),
        )
        supervisor = WorkerSupervisor(config_file) if settings.worker_embedded else None
        for running in _on_the_line(parts, switches):
            stack.push_async_callback(_cancel, running)
        work = _work(app[READY], parts, folding=folding, scheduler=scheduler, supervisor=supervisor, lookups=lookups)
        working = asyncio.create_task(work, name="work")
        working.add_done_callback(_say_if_failed)
        stack.push_async_callback(_cancel, working)
        yield


def _switches(parts: Parts, session: aiohttp.ClientSession) -> dict[str, AsteriskSwitch]:
    return {
        name: switch_of(
            ari,
            parts.settings,
            call_flow=parts.call_flow,
            inbox=parts.inbox,
            clock=parts.clock,
            callers=parts.callers,
            progress=parts.progress,
            listener=parts.live.listener if parts.live is not None else None,
        )
        for name, ari in ari_clients(parts.settings, session).items()
    }


def _on_the_line(parts: Parts, switches: Mapping[str, AsteriskSwitch]) -> list[asyncio.Task[None]]:
    """The connections to our Asterisks: from the start, since their calls are stored as webhooks are."""
    if not switches:
        return []
    texts = parts.call_flow.standing_texts
    tasks = [asyncio.create_task(keep_prompts(switches, parts.settings, texts), name="prompts")]
    for switch in switches.values():
        task = asyncio.create_task(switch.run(), name=f"asterisk {switch.name}")
        task.add_done_callback(_say_if_failed)
        tasks.append(task)
    return tasks


async def _work(
    ready: asyncio.Event,
    parts: Parts,
    *,
    folding: FoldingLoop,
    scheduler: Scheduler,
    supervisor: WorkerSupervisor | None,
    lookups: Mapping[str, CallLookup],
) -> None:
    """All that needs the tables: it begins once they are there, while webhooks are stored from the start.

    Ends by being cancelled, and then ends what it began.
    """
    await until_ready(parts.database)
    ready.set()
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(parts.duty)
        await stack.enter_async_context(parts.known)
        await stack.enter_async_context(folding)
        scheduler.start()
        stack.push_async_callback(scheduler.stop)
        await warn_of_unknown_years(parts.rules.calendar, parts.clock)
        asking = asyncio.create_task(_ask_at_start(parts, lookups), name="ask after open calls")
        stack.push_async_callback(_cancel, asking)
        if supervisor is not None:
            await stack.enter_async_context(supervisor)
        await asyncio.Event().wait()


def _say_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("folding, reminders and transcription have ended; restart the server", exc_info=error)


def when_folded(rules: FollowUpRules) -> tuple[WhenFolded, ...]:
    """What follows from a call's state, in the transaction that writes it."""
    return (
        plan_queue_call_back,
        functools.partial(plan_missed_call, rules=rules),
        functools.partial(record_outcome, rules=rules),
        record_on_call,
    )


def _claimer() -> str:
    """Names this process in what it claims."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _scheduler(parts: Parts, *, lookups: Mapping[str, CallLookup], dialler: Dialler) -> Scheduler:
    database, clock, rules = parts.database, parts.clock, parts.rules
    claimer = _claimer()
    scheduler = Scheduler(zone=parts.settings.zone, seconds=parts.settings.follow_up.tick_seconds)
    scheduler.add(
        "reminders", lambda: dial_due_reminders(database, clock=clock, dialler=dialler, rules=rules, claimer=claimer)
    )
    scheduler.add(
        "calls without an end",
        lambda: ask_after_calls(database, parts.inbox, lookups, now=clock.now()),
        seconds=ASK_AFTER_SECONDS,
    )
    scheduler.add(
        "calls without a ticket",
        lambda: close_gaps(database, now=clock.now(), rules=rules),
        seconds=CLOSE_GAPS_SECONDS,
    )
    scheduler.add(
        "incidents", lambda: find_incidents(database, now=clock.now(), rules=rules), seconds=INCIDENTS_SECONDS
    )
    scheduler.add(
        "days of the reports",
        lambda: count_some_days(database, parts.settings.counting, now=clock.now()),
        seconds=COUNT_DAYS_SECONDS,
    )
    scheduler.add("calendar", lambda: warn_of_unknown_years(rules.calendar, clock), seconds=ONCE_A_DAY_SECONDS)
    retention = parts.settings.retention
    scheduler.add(
        "what is older than it is kept",
        lambda: delete_old(
            database,
            parts.settings.recordings_dir,
            now=clock.now(),
            recording_days=retention.recording_days,
            audit_days=retention.audit_days,
        ),
        seconds=RETENTION_SECONDS,
    )
    scheduler.add("words to search", lambda: index_tickets(database), seconds=SEARCH_INDEX_SECONDS)
    heard = live_tickets(parts.settings, database, clock=clock, rules=rules)  # also of the time when it was switched on
    seconds = LIVE_TICKETS_SECONDS if parts.live is not None else CLOSE_GAPS_SECONDS
    scheduler.add("tickets of calls heard live", heard.tick, seconds=seconds)
    return scheduler


async def _ask_at_start(parts: Parts, lookups: Mapping[str, CallLookup]) -> None:
    """What happened while we were down is asked for at once."""
    try:
        asked = await ask_after_calls(parts.database, parts.inbox, lookups, now=parts.clock.now(), at_start=True)
    except (SQLAlchemyError, OSError) as error:
        log.warning("open calls cannot be asked after yet", error=repr(error))
    else:
        log.info("asked after open calls", calls=asked)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
