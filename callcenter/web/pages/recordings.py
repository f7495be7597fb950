"""Playing a recording: only for those whose work needs it, and every listening is written down."""

import mimetypes
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from callcenter.reports.call_page import PlayableRecording, read_recording
from callcenter.services.users import record_look
from callcenter.web.errors import NotAllowed, NotFound
from callcenter.web.keys import DATABASE, SETTINGS
from callcenter.web.language import N_
from callcenter.web.visit import Visit

SAME_LISTENING = timedelta(minutes=30)
"""A player fetches a recording in pieces; what one person fetches within this time is one listening."""

NOT_THERE = N_("录音还没有取到，或已按保存期删除。")


async def audio(request: web.Request, visit: Visit) -> web.StreamResponse:
    recording_id = request.match_info["recording_id"]
    found = await read_recording(request.app[DATABASE], recording_id)
    if found is None:
        raise NotFound(NOT_THERE)
    if not may_listen(found, visit):
        raise NotAllowed
    path = stored_file(request.app[SETTINGS].recordings_dir, found.recording.path)
    if path is None:
        raise NotFound(NOT_THERE)
    await record_look(
        request.app[DATABASE],
        login=visit.user.login,
        action="listened",
        subject=f"recording:{recording_id}",
        data={"call_id": found.recording.call_id, "ticket": found.ticket_number},
        now=visit.now,
        once_within=SAME_LISTENING,
    )
    content_type = mimetypes.guess_type(path.name)[0] or "audio/wav"
    return web.FileResponse(
        path,
        headers={
            "Content-Type": "audio/wav" if content_type == "audio/x-wav" else content_type,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def may_listen(found: PlayableRecording, visit: Visit) -> bool:
    """Tickets are everyone's work; a call without one is heard by who took it and by supervisors."""
    return visit.is_supervisor or found.ticket_number is not None or visit.user.agent_id in found.agents


def stored_file(folder: Path, name: str | None) -> Path | None:
    """The file in the recordings folder, never one outside it."""
    if not name:
        return None
    root = folder.resolve()
    path = (root / name).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None
