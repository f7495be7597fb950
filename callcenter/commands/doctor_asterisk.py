"""The doctor's look at our own Asterisks: reached, let in, with the modules that calls need, prompts within reach."""

import os
from pathlib import Path

import aiohttp

from callcenter.app.asterisk import recordings_of
from callcenter.commands.finding import Finding
from callcenter.config import AsteriskSettings, Settings, SettingsError
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriGone, AriRefused, AriUnreachable
from callcenter.ivr.providers.asterisk.prompts import PROMPTS_FOLDER

NEEDED = ("app_stasis", "app_mixmonitor", "app_record", "app_dial", "format_wav", "func_db", "res_ari_channels")
FOR_MACHINES = "app_amd"
OLDEST = 22


async def asterisks(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    findings = []
    for server in settings.asterisk:
        findings += await _asterisk(server, session)
        findings += _prompts(server, settings)
    return findings + (_recorded(settings) if settings.asterisk else [])


async def _asterisk(server: AsteriskSettings, session: aiohttp.ClientSession) -> list[Finding]:
    subject, ari = f"asterisk {server.name}", AriClient(server, session)
    try:
        version = str((await ari.request("GET", "asterisk/info", only="system"))["system"]["version"])
        wanted = (*NEEDED, FOR_MACHINES) if server.detect_machines else NEEDED
        missing = [name for name in wanted if not await _runs(ari, name)]
    except AriUnreachable as error:
        remedy = f"start it, and check asterisk.url ({server.url}) against bindaddr and bindport of its http.conf"
        return [Finding(subject=subject, state=f"cannot be reached ({error})", remedy=remedy)]
    except AriRefused as refused:
        remedy = "check asterisk.user and its password against ari.conf"
        return [Finding(subject=subject, state=f"refuses us ({refused.status})", remedy=remedy)]
    except (KeyError, TypeError):
        remedy = "check asterisk.url: what answers there is no Asterisk"
        return [Finding(subject=subject, state="answers something else", remedy=remedy)]
    if missing:
        remedy = "load them in modules.conf; deploy/asterisk has the configuration files that they ask for"
        return [Finding(subject=subject, state=f"{version}, without {', '.join(missing)}", remedy=remedy)]
    major = version.partition(".")[0]
    if major.isdigit() and int(major) < OLDEST:
        remedy = f"take {OLDEST} or newer: older ones were not tried"
        return [Finding(subject=subject, state=version, remedy=remedy, blocking=False)]
    return [Finding(subject=subject, state=f"{version}, lets us in")]


async def _runs(ari: AriClient, module: str) -> bool:
    try:
        found = await ari.request("GET", f"asterisk/modules/{module}.so")
    except AriGone:
        return False
    except AriRefused as refused:
        if refused.status == 409:  # it is there and does not run
            return False
        raise
    return bool(found["status"] == "Running")


def _prompts(server: AsteriskSettings, settings: Settings) -> list[Finding]:
    """Asterisk runs as another user, who must be able to read what we write."""
    folder = (server.prompts_dir or settings.server.data_dir / PROMPTS_FOLDER).absolute()
    subject = f"asterisk {server.name} prompts"
    standing = next(place for place in (folder, *folder.parents) if place.exists())
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        remedy = "give asterisk.prompts_dir a folder that this user may write to"
        return [Finding(subject=subject, state=f"{standing} cannot be written to", remedy=remedy)]
    if server.prompts_dir is None:
        remedy = "set asterisk.prompts_dir to a folder of both users: into data_dir nobody else may look"
        return [Finding(subject=subject, state=str(folder), remedy=remedy, blocking=False)]
    return [Finding(subject=subject, state=_shown(folder, server.prompts_seen_as))]


def _shown(folder: Path, seen_as: Path | None) -> str:
    return f"{folder}, there {seen_as}" if seen_as else str(folder)


def _recorded(settings: Settings) -> list[Finding]:
    """Which of the texts that every caller hears a person has recorded."""
    if settings.call_flow.recorded_prompts is None:
        return [Finding(subject="prompts", state="all synthesised: call_flow.recorded_prompts is not set")]
    try:
        recorded = recordings_of(settings)
    except SettingsError as error:
        return [Finding(subject="prompts", state=str(error), remedy="mend it, or leave the setting out")]
    standing = CallFlow(settings.call_flow, settings.agents).standing_texts
    said = {" ".join(text.split()) for text in standing}
    state = f"{len(said & recorded.keys())} of {len(said)} texts that callers hear are recorded"
    unsaid = sorted(file.name for text, file in recorded.items() if text not in said)
    if not unsaid:
        return [Finding(subject="prompts", state=state)]
    remedy = "nobody says this word for word now: correct its .txt, if it is one of call_flow's texts"
    return [Finding(subject="prompts", state=f"{state}; {', '.join(unsaid)}", remedy=remedy, blocking=False)]
