"""What server, worker and commands build alike from the settings."""

import functools
from datetime import timedelta
from pathlib import Path

import aiohttp
import structlog

from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import ModelError
from callcenter.asr.manifest import ModelEntry, read_manifest
from callcenter.config import RingStrategy, Settings, SettingsError
from callcenter.db.engine import Database
from callcenter.domain.rings import RingRule
from callcenter.domain.service_language import LanguageRuleFile
from callcenter.domain.tickets import RequestType
from callcenter.domain.understanding.rules_files import RuleFolder
from callcenter.domain.word_list import read_word_list
from callcenter.ivr.callers import CallersOnTheLine
from callcenter.ivr.media import MediaStreams
from callcenter.ivr.provider import Provider
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.names import NAME as ASTERISK
from callcenter.ivr.providers.asterisk.recordings import AsteriskRecordings
from callcenter.ivr.providers.twilio import TwilioProvider
from callcenter.ivr.providers.twilio_media import TwilioMedia, stream_token
from callcenter.ivr.providers.twilio_recordings import TwilioRecordings
from callcenter.ivr.providers.twiml import NAME as TWILIO
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.recordings import RecordingsOfProviders
from callcenter.ports import Clock, RecordingFetcher
from callcenter.services.agent_states import AgentsOnDuty
from callcenter.services.check_language import LanguageChecker
from callcenter.services.follow_up_rules import FollowUpRules, follow_up_rules
from callcenter.services.known_callers import KnownCallersInMemory
from callcenter.services.news import News
from callcenter.services.understand_call import CallReader

log = structlog.get_logger()

IDLE_LOOKS_BACK = timedelta(hours=12)
"""Who has not talked for longer is as idle as who has not talked at all."""


def ring_rule(settings: Settings) -> RingRule:
    return RingRule(cycle_ms=round(settings.rings.cycle_seconds * 1000), rings=settings.rings.rings)


def twiml_writer(settings: Settings) -> TwimlWriter:
    secret = settings.twilio.auth_token.get_secret_value()
    return TwimlWriter(
        public_url=settings.server.public_url,
        language=settings.call_flow.language,
        voice=settings.twilio.voice,
        stream_token=functools.partial(stream_token, secret),
    )


def providers_of(settings: Settings) -> dict[str, Provider]:
    return {TWILIO: TwilioProvider(settings.twilio, twiml_writer(settings))}


def media_of(settings: Settings) -> dict[str, MediaStreams]:
    return {TWILIO: TwilioMedia(settings.twilio)}


def recordings_of(settings: Settings, session: aiohttp.ClientSession) -> RecordingFetcher:
    """Whichever provider's."""
    largest_bytes = settings.speech.max_recording_bytes
    servers = {server.name: AriClient(server, session) for server in settings.asterisk}
    return RecordingsOfProviders(
        {
            TWILIO: TwilioRecordings(settings.twilio, session, largest_bytes=largest_bytes),
            ASTERISK: AsteriskRecordings(servers, largest_bytes=largest_bytes),
        }
    )


def call_reader(settings: Settings) -> CallReader:
    """What turns a transcript into a draft, with the operator's rules and menu."""
    return CallReader(
        zone=settings.zone,
        wording=rule_folder(settings),
        area_code=settings.understanding.area_code or None,
        menu_choices=settings.call_flow.menu.choices,
        own_words=own_words(settings),
    )


def on_duty(settings: Settings, database: Database, *, clock: Clock, news: News) -> AgentsOnDuty:
    """Knows what every agent of the settings is doing."""
    wrap_up = timedelta(seconds=settings.call_flow.wrap_up_seconds)
    agents = [agent.id for agent in settings.agents]
    looks_back = IDLE_LOOKS_BACK if settings.call_flow.strategy is RingStrategy.LONGEST_IDLE else timedelta(0)
    return AgentsOnDuty(database, agents, clock=clock, wrap_up=wrap_up, news=news, looks_back=looks_back)


def callers_of(settings: Settings, duty: AgentsOnDuty, known: KnownCallersInMemory) -> CallersOnTheLine:
    """Who is rung before whom, for every provider."""
    idle = duty.talked_until if settings.call_flow.strategy is RingStrategy.LONGEST_IDLE else None
    return CallersOnTheLine(settings.agents, known=known, talked_until=idle)


def known_callers(settings: Settings, database: Database) -> KnownCallersInMemory:
    return KnownCallersInMemory(
        database,
        agents=frozenset(agent.id for agent in settings.agents) if settings.call_flow.owner_first else frozenset(),
        with_estates=any(agent.estates for agent in settings.agents),
    )


def rules_of(settings: Settings) -> FollowUpRules:
    """Raises SettingsError where two settings do not fit together."""
    try:
        return follow_up_rules(settings.follow_up, settings.calendar, settings.console, settings.agents)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def rule_folder(settings: Settings) -> RuleFolder:
    """The rules of understanding: the built-in ones, or an operator's."""
    return RuleFolder(settings.rules_dir)


def language_checker(settings: Settings) -> LanguageChecker:
    """Service language by the built-in rules, or an operator's."""
    return LanguageChecker(
        zone=settings.zone,
        company=settings.console.company,
        wording=rule_folder(settings),
        rule_file=LanguageRuleFile(settings.rules_dir),
    )


def own_words(settings: Settings, file: Path | None = None) -> tuple[str, ...]:
    """The operator's words, longest first. Raises OSError, WordListError where `file` cannot be used."""
    path = file or settings.speech.word_list
    return read_word_list(path.read_text("utf-8-sig")) if path is not None else ()


def emergency_keys(settings: Settings) -> tuple[str, ...]:
    """Keys of the menu by which a resident says that it is an emergency."""
    return tuple(key for key, kind in settings.call_flow.menu.choices.items() if kind is RequestType.EMERGENCY)


def engine_settings(settings: Settings, model: str | None = None) -> EngineSettings:
    """The configured model, or another one: a folder, or a name in the models folder.

    The manifest says which engine and language a model of its own needs; for a folder the settings do.
    """
    speech = settings.speech
    name = model or speech.model
    folder = speech.models_dir / name
    if not folder.is_dir() and (outside := speech.models_dir.parent / name).is_dir():
        folder = outside
    entry = _manifest_entry(settings, name)
    if entry is not None:
        return EngineSettings(model_path=folder, engine=entry.engine, language=entry.languages[0])
    return EngineSettings(model_path=folder, engine=speech.engine or "vosk", language=speech.language)


def _manifest_entry(settings: Settings, name: str) -> ModelEntry | None:
    """None where the manifest does not list it, or cannot be read: a folder is enough to go on."""
    try:
        return read_manifest(settings.speech.models_dir).get(name)
    except ModelError:
        return None


def engines_of_numbers(settings: Settings) -> dict[str, EngineSettings]:
    """Hotline numbers with a model of their own."""
    return {line.number: engine_settings(settings, line.model) for line in settings.speech.numbers}
