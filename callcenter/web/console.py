"""Hangs the console's pages onto the application: which address, which page, who may see it."""

import functools
from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from callcenter.config import Settings, changed_settings
from callcenter.db.engine import Database
from callcenter.db.users import Role
from callcenter.domain.service_language import LanguageRuleFile
from callcenter.domain.understanding.rules_files import RuleFolder
from callcenter.ports import Clock, TextToSpeech
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.arrived_requests import Arrivals
from callcenter.services.attachments import LARGEST_BYTES
from callcenter.services.call_controls import CallControls
from callcenter.services.check_language import LanguageChecker
from callcenter.services.console_settings import ConsoleSettings
from callcenter.services.live_board import LiveBoard
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.news import News
from callcenter.web.assets import Assets
from callcenter.web.auth import LIMITER, LoginLimiter, log_in, log_out, login_page
from callcenter.web.keys import (
    ARRIVALS,
    ASSETS,
    CATALOGS,
    CLOCK,
    CONSOLE,
    CONTROLS,
    DATABASE,
    DUTY,
    LANGUAGE,
    LIVE_BOARD,
    LIVE_TICKETS,
    NEWS,
    SETTINGS,
    SPEECH,
)
from callcenter.web.language import load_catalogs, names_of
from callcenter.web.live import add_live_feed
from callcenter.web.outside import friendly_refusals, home, static_file
from callcenter.web.pages import (
    admin,
    admin_audit,
    admin_provider,
    admin_register,
    admin_rules,
    admin_users,
    agent_state,
    alarms,
    answering,
    answering_calls,
    answering_export,
    calls,
    cases,
    complaints,
    desk,
    desk_orders,
    incidents,
    language,
    live,
    quarterly,
    recordings,
    reminder_changes,
    reminders,
    review,
    setup,
    shift,
    staffing,
    texts,
    ticket,
    ticket_changes,
    ticket_files,
    ticket_joins,
    ticket_lists,
    ticket_wishes,
    tickets,
    wall,
)
from callcenter.web.presence import PRESENCE, Presence
from callcenter.web.proxies import PROXIES, TrustedProxies
from callcenter.web.rendering import set_up_templates
from callcenter.web.visit import ADMINISTRATORS, EVERYONE, SESSION_COOKIE, SUPERVISORS, Page, for_roles
from callcenter.web.wall import WALL, WallFeed


def language_checker(settings: Settings) -> LanguageChecker:
    """Service language by the built-in rules, or an operator's."""
    return LanguageChecker(
        zone=settings.zone,
        company=settings.console.company,
        wording=RuleFolder(settings.rules_dir),
        rule_file=LanguageRuleFile(settings.rules_dir),
    )


def add_console(
    app: web.Application,
    *,
    database: Database,
    settings: Settings,
    clock: Clock,
    speech: TextToSpeech | None = None,
    live: LiveBoard | None = None,
    live_tickets: LiveTickets | None = None,
    duty: AgentsOnDuty | None = None,
    news: News | None = None,
    controls: CallControls | None = None,
    console: ConsoleSettings | None = None,
    arrivals: Arrivals | None = None,
) -> None:
    """Adds every page, static file and the live feed; webhooks on the same application are not touched.

    Without `speech` the texts of our calls can be read and not heard; without `live` no page shows words of a call
    that goes on. Without `console` what is changed in the settings waits for the next start. `duty` knows what agents
    are doing and is run by whoever gives it, else by the console itself;
    `news` is told when this process has written something. `controls`: what can be done to calls that go on.
    """
    app[CONTROLS] = controls or CallControls(database, clock=clock)
    app[NEWS] = news or News()
    if duty is None:
        agents, wrap_up = [agent.id for agent in settings.agents], timedelta(seconds=settings.call_flow.wrap_up_seconds)
        duty = AgentsOnDuty(database, agents, clock=clock, wrap_up=wrap_up, news=app[NEWS])
        app.cleanup_ctx.append(_on_duty)
    app[DUTY] = duty
    if live is not None:
        app[LIVE_BOARD] = live
    if live_tickets is not None:
        app[LIVE_TICKETS] = live_tickets
    if speech is not None:
        app[SPEECH] = speech
    app[DATABASE], app[SETTINGS], app[CLOCK] = database, settings, clock
    app[CONSOLE] = console or ConsoleSettings(load=functools.partial(changed_settings, settings))
    app[ARRIVALS] = arrivals or Arrivals()
    app[LANGUAGE] = language_checker(settings)
    app[ASSETS], app[CATALOGS] = Assets(), load_catalogs(names_of(app[LANGUAGE].wording))
    app[PROXIES] = TrustedProxies(settings.server.trusted_proxies)
    app[LIMITER] = LoginLimiter(attempts_a_minute=settings.console.login_attempts_a_minute)
    set_up_templates(app)
    app.middlewares.append(friendly_refusals)
    add_live_feed(app)
    app[WALL] = WallFeed()
    app[PRESENCE] = Presence()
    _add_outside(app)
    _add_rooms(app)
    app[admin_register.WAITING] = {}
    _add_administration(app)


async def _on_duty(app: web.Application) -> AsyncIterator[None]:
    async with app[DUTY]:
        yield


def _add_outside(app: web.Application) -> None:
    """What needs no login."""
    app.router.add_get("/static/{name:.+}", static_file)
    app.router.add_get("/setup", _setup)
    app.router.add_post("/setup", setup.make_first)
    app.router.add_get("/login", login_page)
    app.router.add_post("/login", log_in)
    app.router.add_get("/wall/board", for_roles(wall.own_screen, SUPERVISORS))
    app.router.add_get("/wall/board/events", for_roles(wall.own_events, SUPERVISORS, streams=True))
    app.router.add_get("/wall/{token}", wall.screen)
    app.router.add_get("/wall/{token}/events", wall.screen_events)


async def _setup(request: web.Request) -> web.StreamResponse:
    """The first form while nobody can sign in, then what is still to do."""
    if SESSION_COOKIE in request.cookies:
        return await for_roles(setup.checklist, ADMINISTRATORS)(request)
    return await setup.first_page(request)


def _add_administration(app: web.Application) -> None:
    def get(path: str, page: Page) -> None:
        app.router.add_get(path, for_roles(page, ADMINISTRATORS))

    def post(path: str, page: Page, *, largest_bytes: int | None = None) -> None:
        app.router.add_post(path, for_roles(page, ADMINISTRATORS, largest_bytes=largest_bytes))

    get("/admin", admin.index)
    post("/admin/apply", admin.apply_now)
    get("/admin/changes", admin.changes)
    post(r"/admin/changes/{change:\d{1,9}}/undo", admin.undo)
    get("/admin/prompts/{key}", admin.prompt_audio)
    get("/admin/users", admin_users.users)
    post("/admin/users", admin_users.add)
    post("/admin/users/{login}", admin_users.change)
    get("/admin/register", admin_register.register)
    post("/admin/register", admin_register.preview, largest_bytes=admin_register.LARGEST_BYTES)
    post("/admin/register/take", admin_register.take)
    get("/admin/audit", admin_audit.audit)
    get("/admin/rules", admin_rules.rules)
    get("/admin/rules/{name}", admin_rules.rule)
    post("/admin/rules/{name}", admin_rules.change, largest_bytes=admin_rules.LARGEST_BYTES)
    post("/admin/provider/test", admin_provider.test)
    get("/admin/provider/arrivals", admin_provider.arrivals)
    get("/admin/{room}", admin.room)
    post("/admin/{room}", admin.save)


def _add_rooms(app: web.Application) -> None:
    def get(path: str, page: Page, roles: frozenset[Role] = EVERYONE) -> None:
        app.router.add_get(path, for_roles(page, roles))

    def post(path: str, page: Page) -> None:
        app.router.add_post(path, for_roles(page))

    get("/", home)
    post("/logout", log_out)
    get("/desk", desk.desk)
    get("/desk/pop", desk.pop)
    get("/desk/calls/{call_id}", desk.one_call)
    post("/desk/calls/{call_id}/ticket", desk.take)
    post("/desk/calls/{call_id}/phone", desk.show_number)
    post("/desk/calls/{call_id}/orders", desk_orders.order)
    get("/tickets", tickets.ticket_list)
    get("/tickets/board", ticket_lists.board)
    get("/tickets/export.{kind:csv|xlsx|json}", ticket_lists.exported)
    post("/tickets/assign", ticket_lists.assign_picked)
    get("/tickets/{number}", ticket.ticket_page)
    get("/tickets/{number}/print", ticket_files.printed)
    app.router.add_post("/tickets/{number}/files", for_roles(ticket_files.add, largest_bytes=LARGEST_BYTES + 65_536))
    get(r"/tickets/{number}/files/{file:\d{1,9}}", ticket_files.send)
    post(r"/tickets/{number}/files/{file:\d{1,9}}/remove", ticket_files.remove)
    post("/tickets/{number}/fields/{field}", ticket_changes.correct)
    post("/tickets/{number}/words", ticket_changes.correct_said)
    post("/tickets/{number}/confirm", ticket_changes.confirm)
    post("/tickets/{number}/assign", ticket_changes.give_to)
    post("/tickets/{number}/status", ticket_changes.set_status)
    post("/tickets/{number}/promise", ticket_changes.make_promise)
    post("/tickets/{number}/arrived", ticket_changes.arrived)
    post("/tickets/{number}/spoken", ticket_changes.spoke)
    post("/tickets/{number}/pass-on", ticket_changes.hand_on)
    post("/tickets/{number}/notes", ticket_changes.write_note)
    post("/tickets/{number}/phone", ticket_changes.show_number)
    get("/review", review.queue)
    get("/review/{number}", review.one)
    get("/reminders", reminders.owed_list)
    get("/reminders/texts", texts.texts, SUPERVISORS)
    get("/reminders/texts/{kind}/audio", texts.audio, SUPERVISORS)
    get(r"/reminders/{reminder_id:\d+}", reminders.one_reminder)
    post(r"/reminders/{reminder_id:\d+}/spoken", reminder_changes.spoke)
    post(r"/reminders/{reminder_id:\d+}/cancel", reminder_changes.cancel)
    post(r"/reminders/{reminder_id:\d+}/call", reminder_changes.call)
    post("/tickets/{number}/call", reminder_changes.call_resident)
    post("/tickets/{number}/talk", reminder_changes.talk_to_resident)
    post("/tickets/{number}/merge", ticket_joins.merge)
    post("/tickets/{number}/unmerge", ticket_joins.unmerge)
    post("/tickets/{number}/split", ticket_joins.split)
    post("/tickets/{number}/problems/{field}", ticket_joins.make_own)
    post("/tickets/{number}/wishes", ticket_wishes.note)
    get("/incidents", incidents.incident_list)
    get("/incidents/{number}", incidents.incident_page)
    post("/incidents/{number}/confirm", incidents.confirm)
    post("/incidents/{number}/dismiss", incidents.dismiss)
    post("/incidents/{number}/restore", incidents.restore)
    post("/incidents/{number}/add", incidents.add)
    post("/incidents/{number}/remove", incidents.remove)
    post("/incidents/{number}/solve", incidents.solve)
    post("/incidents/{number}/reopen", incidents.reopen)
    get("/wall", wall.manage, SUPERVISORS)
    app.router.add_post("/wall", for_roles(wall.put_up, SUPERVISORS))
    app.router.add_post(r"/wall/{screen_id:\d+}/take-down", for_roles(wall.take_down, SUPERVISORS))
    app.router.add_post("/agents/{agent}/state", for_roles(agent_state.set_for, SUPERVISORS))
    post("/me/state", agent_state.set_own)
    get("/me", agent_state.own)
    get("/shift", shift.shift, SUPERVISORS)
    app.router.add_post("/shift", for_roles(shift.hand_over, SUPERVISORS))
    get("/alarms", alarms.alarms)
    post("/alarms/{number}/acknowledge", alarms.acknowledge)
    post("/alarms/{number}/arrived", alarms.arrived)
    get("/answering", answering.overview, SUPERVISORS)
    get("/answering/calls.{kind:csv|xlsx|json}", answering_calls.exported, SUPERVISORS)
    get("/answering/export.csv", answering_export.as_csv, SUPERVISORS)
    get("/answering/export.xlsx", answering_export.as_xlsx, SUPERVISORS)
    get("/answering/export.json", answering_export.as_json, SUPERVISORS)
    get("/answering/calls", answering_calls.call_list, SUPERVISORS)
    get("/staffing", staffing.staffing, SUPERVISORS)
    get("/staffing/plan.{kind:csv|xlsx|json}", staffing.exported, SUPERVISORS)
    get("/calls/{call_id}", calls.call_page)
    get("/language", language.overview)
    get("/language/export.{kind:csv|xlsx|json}", language.exported)
    get("/complaints", complaints.overview, SUPERVISORS)
    get("/complaints/export.{kind:csv|xlsx|json}", complaints.exported, SUPERVISORS)
    get("/quarters", quarterly.latest, SUPERVISORS)
    get("/quarters/{quarter}", quarterly.review, SUPERVISORS)
    get("/quarters/{quarter}/export.{kind:csv|xlsx|json}", quarterly.exported, SUPERVISORS)
    get("/cases", cases.case_list)
    get(r"/cases/{case:\d{1,9}}", cases.case_page)
    post(r"/cases/{case:\d{1,9}}", cases.edit)
    post(r"/cases/{case:\d{1,9}}/withdraw", cases.withdraw)
    post("/tickets/{number}/case", cases.make)
    post("/calls/{call_id}/words", language.correct_words)
    post(r"/calls/{call_id}/language/{finding:\d{1,9}}/contest", language.contest)
    post(r"/calls/{call_id}/language/{finding:\d{1,9}}/decide", language.decide)
    get("/recordings/{recording_id}/audio", recordings.audio)
    app.router.add_get("/events", for_roles(live.events, streams=True))
