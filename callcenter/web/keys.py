"""What the console keeps on the application, by typed key."""

from aiohttp import web
from jinja2 import Environment

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.ports import Clock, TextToSpeech
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.arrived_requests import Arrivals
from callcenter.services.call_controls import CallControls
from callcenter.services.check_language import LanguageChecker
from callcenter.services.console_settings import ConsoleSettings
from callcenter.services.live_board import LiveBoard
from callcenter.services.live_tickets import LiveTickets
from callcenter.services.news import News
from callcenter.web.assets import Assets
from callcenter.web.language import Catalog

DATABASE = web.AppKey("callcenter.web.database", Database)
SETTINGS = web.AppKey("callcenter.web.settings", Settings)
CLOCK = web.AppKey("callcenter.web.clock", Clock)
LIVE_BOARD = web.AppKey("callcenter.web.live_board", LiveBoard)
DUTY = web.AppKey("callcenter.web.duty", AgentsOnDuty)
NEWS = web.AppKey("callcenter.web.news", News)
LIVE_TICKETS = web.AppKey("callcenter.web.live_tickets", LiveTickets)
CONTROLS = web.AppKey("callcenter.web.call_controls", CallControls)
CONSOLE = web.AppKey("callcenter.web.console_settings", ConsoleSettings)
ARRIVALS = web.AppKey("callcenter.web.arrivals", Arrivals)
SPEECH = web.AppKey("callcenter.web.speech", TextToSpeech)
LANGUAGE = web.AppKey("callcenter.web.service_language", LanguageChecker)
ASSETS = web.AppKey("callcenter.web.assets", Assets)
CATALOGS = web.AppKey("callcenter.web.catalogs", dict[str, Catalog])
TEMPLATES = {language: web.AppKey(f"callcenter.web.templates.{language}", Environment) for language in ("zh", "en")}
