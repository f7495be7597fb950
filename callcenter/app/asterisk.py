"""The company's own Asterisks: one connection each, with what their calls need."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp
import structlog

from callcenter.config import Settings, SettingsError
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine
from callcenter.ivr.progress import ProgressOnTheLine
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.outbound import AsteriskDialler
from callcenter.ivr.providers.asterisk.prompts import PROMPTS_FOLDER, Prompts
from callcenter.ivr.providers.asterisk.switch import AsteriskSwitch
from callcenter.ports import Clock, Dialler, LiveListener
from callcenter.services.inbox import EventInbox
from callcenter.voice.kept import forget_unused
from callcenter.voice.recorded import RecordedPromptsWrong, recorded_prompts
from callcenter.voice.speech import SPEECH_FOLDER, OfflineSpeech

log = structlog.get_logger()

NOTICE_FILE, VOICE_MAIL_FILE = "notice", "voice-mail"
"""The names under which the dialplan plays them when it is alone."""
DAY_SECONDS = 24 * 3600
KEPT_SECONDS = 30 * DAY_SECONDS
"""Longer than a reminder's tries go on: they hold names and addresses of residents."""


def ari_clients(settings: Settings, session: aiohttp.ClientSession) -> dict[str, AriClient]:
    """By the name in the settings."""
    return {server.name: AriClient(server, session) for server in settings.asterisk}


def switch_of(
    ari: AriClient,
    settings: Settings,
    *,
    call_flow: CallFlow,
    inbox: EventInbox,
    clock: Clock,
    callers: CallersOnTheLine | None = None,
    progress: ProgressOnTheLine | None = None,
    listener: LiveListener | None = None,
) -> AsteriskSwitch:
    return AsteriskSwitch(
        ari,
        inbox=inbox,
        call_flow=call_flow,
        prompts=prompts_of(ari, settings),
        agents={agent.id: agent for agent in settings.agents},
        clock=clock,
        callers=callers,
        progress=progress,
        listener=listener,
    )


def prompts_of(ari: AriClient, settings: Settings) -> Prompts:
    """Raises SettingsError."""
    folder = ari.settings.prompts_dir or settings.server.data_dir / PROMPTS_FOLDER
    speech = OfflineSpeech(settings.server.data_dir / SPEECH_FOLDER, prepared=recordings_of(settings))
    seen_as: Path | None = ari.settings.prompts_seen_as
    return Prompts(speech, folder, seen_as=seen_as, language=settings.call_flow.language)


def recordings_of(settings: Settings) -> dict[str, Path]:
    """What people have recorded, by its text. Raises SettingsError."""
    folder = settings.call_flow.recorded_prompts
    try:
        return recorded_prompts(folder) if folder is not None else {}
    except RecordedPromptsWrong as error:
        raise SettingsError(f"call_flow.recorded_prompts: {error}") from error


def dialler_of(settings: Settings, switches: Mapping[str, AsteriskSwitch], *, otherwise: Dialler) -> Dialler:
    """Calls of ours go out over our own trunks, where there are any."""
    names = {server.name for server in settings.asterisk if server.dials_out}
    ours = {name: switch for name, switch in switches.items() if name in names}
    return AsteriskDialler(ours) if ours else otherwise


async def keep_prompts(switches: Mapping[str, AsteriskSwitch], settings: Settings, texts: Sequence[str]) -> None:
    """Prepares them at once and every day; what was said to one resident and not again is forgotten after a while."""
    while True:
        await prepare_prompts(switches, settings, texts)
        folders = {switch.prompts.folder for switch in switches.values()} | {settings.server.data_dir / SPEECH_FOLDER}
        for folder in folders:
            try:
                gone = await asyncio.to_thread(forget_unused, folder, seconds=KEPT_SECONDS)
            except OSError as error:
                log.warning("old prompts cannot be removed", folder=str(folder), error=error.strerror)
            else:
                if gone:
                    log.info("prompts that nobody heard for long are removed", folder=str(folder), files=gone)
        await asyncio.sleep(DAY_SECONDS)


async def prepare_prompts(switches: Mapping[str, AsteriskSwitch], settings: Settings, texts: Sequence[str]) -> None:
    """Speaks what callers hear time and again, and what the dialplan plays when we are away. Never raises."""
    for switch in switches.values():
        prompts = switch.prompts
        try:
            for text in texts:
                await prompts.of(text)
            await prompts.keep_as(NOTICE_FILE, settings.call_flow.notice)
            await prompts.keep_as(VOICE_MAIL_FILE, settings.call_flow.voice_mail_prompt)
        except Exception:
            log.exception("prompts cannot be prepared; they are spoken when they are needed", asterisk=switch.name)
