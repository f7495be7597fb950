"""The administration: rooms of settings, each change tried before it is saved, the list of changes, undoing one."""

import asyncio
from typing import Any

from aiohttp import web

from callcenter.asr.errors import ModelError
from callcenter.asr.models import ListedModel, list_models
from callcenter.config import SettingsError
from callcenter.services.console_settings import (
    NothingToUndo,
    Saved,
    change_settings,
    read_saved,
    settings_history,
    undo_change,
)
from callcenter.voice.speech import SpeechFailed
from callcenter.web.admin.forms import RoomForm
from callcenter.web.admin.rooms import ROOMS, setting_of
from callcenter.web.admin.settings import Kind, Rows, Setting, value_at
from callcenter.web.errors import BadForm, NotFound
from callcenter.web.frame import render_room
from callcenter.web.keys import CONSOLE, DATABASE, LANGUAGE, SPEECH
from callcenter.web.language import N_
from callcenter.web.owed import kind_name
from callcenter.web.pages.texts import CannotSpeak
from callcenter.web.visit import Visit, see_other

WOULD_NOT_START = N_("改回去会让设置不对，没有改。请先把有关的别的设置改好。")
NOT_ANY_MORE = N_("这一项后来又改过，不能从这里撤回。请撤回最后一次。")
TEXT_KEY = "follow_up.call_texts."


async def index(request: web.Request, visit: Visit) -> web.StreamResponse:
    saved = await _saved(request)
    return await _show(request, visit, "admin.html", saved=saved, rooms=tuple(ROOMS.values()))


async def room(request: web.Request, visit: Visit) -> web.StreamResponse:
    saved = await _saved(request)
    return await _room(request, visit, saved, _form(request, saved))


async def save(request: web.Request, visit: Visit) -> web.StreamResponse:
    console, saved = request.app[CONSOLE], await _saved(request)
    form = _form(request, saved)
    if visit.form.get("number") != str(saved.number):
        return await _room(request, visit, saved, form, status=409, lost=True)
    filled = form.read(visit.form)
    if filled.unreadable:
        return await _room(request, visit, saved, form, status=400, wrong=frozenset(filled.unreadable))
    try:
        await change_settings(
            request.app[DATABASE], console.load, filled.changes, login=visit.user.login, now=visit.now
        )
    except SettingsError as error:
        said = str(error).split(" (set in ")[0]
        return await _room(request, visit, saved, form, status=400, wrong=frozenset(error.keys), said=said)
    return see_other(f"{request.path}?saved=1")


async def apply_now(request: web.Request, visit: Visit) -> web.StreamResponse:
    """Does not wait for the line to be free: calls go on, words that are just heard live wait for the recording."""
    request.app[CONSOLE].apply_now.set()
    return see_other("/admin?applied=1")


async def changes(request: web.Request, visit: Visit) -> web.StreamResponse:
    history = await settings_history(request.app[DATABASE])
    label = visit.catalog.gettext

    def called(key: str) -> str:
        known = setting_of(key)
        return (
            kind_name(key.removeprefix(TEXT_KEY), visit)
            if key.startswith(TEXT_KEY)
            else label(known.label)
            if known
            else key
        )

    return await _show(
        request, visit, "admin_changes.html", saved=await _saved(request), history=history, called=called, plain=_plain
    )


async def undo(request: web.Request, visit: Visit) -> web.StreamResponse:
    change_id = int(request.match_info["change"])
    load = request.app[CONSOLE].load
    try:
        await undo_change(request.app[DATABASE], load, change_id, login=visit.user.login, now=visit.now)
    except NothingToUndo as error:
        raise BadForm(NOT_ANY_MORE) from error
    except SettingsError as error:
        raise BadForm(WOULD_NOT_START) from error
    return see_other("/admin/changes?saved=1")


async def prompt_audio(request: web.Request, visit: Visit) -> web.StreamResponse:
    """A prompt as it is saved, spoken."""
    setting = setting_of(request.match_info["key"])
    if not isinstance(setting, Setting) or not setting.spoken:
        raise NotFound
    speech = request.app.get(SPEECH)
    if speech is None:
        raise CannotSpeak
    saved = await _saved(request)
    try:
        path = await speech.speak(str(value_at(saved.settings.model_dump(mode="json"), setting.key)))
    except SpeechFailed as error:
        raise CannotSpeak from error
    headers = {"Content-Type": "audio/wav", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}
    return web.FileResponse(path, headers=headers)


async def _saved(request: web.Request) -> Saved:
    return await read_saved(request.app[DATABASE], request.app[CONSOLE].load)


def _form(request: web.Request, saved: Saved) -> RoomForm:
    wanted = ROOMS.get(request.match_info["room"])
    if wanted is None:
        raise NotFound
    of_file = request.app[CONSOLE].load({})
    return RoomForm(wanted, saved=saved.settings, of_file=of_file, values=saved.values)


async def _room(
    request: web.Request,
    visit: Visit,
    saved: Saved,
    form: RoomForm,
    *,
    status: int = 200,
    wrong: frozenset[str] = frozenset(),
    lost: bool = False,
    said: str = "",
) -> web.StreamResponse:
    name = form.room.name
    return await _show(
        request,
        visit,
        "admin_room.html",
        saved=saved,
        status=status,
        here_room=form.room,
        groups=form.inputs(visit.form if status != 200 else None, wrong),
        wrong=wrong,
        lost=lost,
        said=said,
        is_table=lambda one: hasattr(one, "lines"),
        kinds=Kind,
        label_of=lambda one: _label(one, visit),
        can_listen=SPEECH in request.app,
        models=await _models(saved) if name == "model" else (),
        categories=request.app[LANGUAGE].wording.current().categories if name == "deadlines" else (),
        public_url=saved.settings.server.public_url,
    )


async def _models(saved: Saved) -> tuple[ListedModel, ...]:
    """None where the manifest cannot be read: the doctor says why."""
    try:
        return await asyncio.to_thread(list_models, saved.settings.speech.models_dir)
    except ModelError:
        return ()


def _label(setting: Setting | Rows, visit: Visit) -> str:
    if setting.key.startswith(TEXT_KEY):
        return kind_name(setting.key.removeprefix(TEXT_KEY), visit)
    return visit.catalog.gettext(setting.label)


async def _show(
    request: web.Request, visit: Visit, template: str, *, saved: Saved, status: int = 200, **context: Any
) -> web.StreamResponse:
    return await render_room(
        request,
        visit,
        template,
        room="admin",
        status=status,
        number=saved.number,
        waits=saved.number != request.app[CONSOLE].number_in_use,
        was_saved="saved" in request.query,
        was_applied="applied" in request.query,
        **context,
    )


def _plain(value: Any) -> str:
    """A value of a change as text: rows by their first columns."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "；".join(" ".join(map(str, one.values())) if isinstance(one, dict) else str(one) for one in value)
    return str(value)
