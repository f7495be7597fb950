"""What our calls to residents say, kind by kind: the text, an example filled in as it is spoken, and how it sounds."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from callcenter.domain.call_text import SpokenMatter
from callcenter.domain.reminder_kind import ReminderKind
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.tickets import Place
from callcenter.services.call_speech import say as spoken
from callcenter.services.follow_up_rules import FollowUpRules
from callcenter.voice.speech import SpeechFailed
from callcenter.web.errors import NotFound, PageError
from callcenter.web.frame import render_room
from callcenter.web.keys import SETTINGS, SPEECH
from callcenter.web.language import N_
from callcenter.web.owed import kind_name
from callcenter.web.rules import rules_of
from callcenter.web.visit import Visit

EXAMPLE_DAY = datetime(2026, 11, 24, tzinfo=UTC)
"""The example is of one day for ever, so that each text is synthesised once and kept."""


class CannotSpeak(PageError):
    """The speech synthesis is not there or failed."""

    status = 503
    title = N_("现在不能试听")
    advice = N_("语音合成没有装好或没有配置。请管理员运行 callcenter doctor 查看。")


@dataclass(frozen=True, kw_only=True, slots=True)
class SpokenKind:
    """`setting` is the key under which an operator's own text stands in the settings file."""

    kind: ReminderKind
    name: str
    template: str
    is_own: bool
    example: str
    setting: str
    fields: tuple[str, ...]


async def texts(request: web.Request, visit: Visit) -> web.StreamResponse:
    rules = rules_of(request)
    own = request.app[SETTINGS].follow_up.call_texts
    kinds = [
        SpokenKind(
            kind=kind,
            name=kind_name(name, visit),
            template=rules.text_of(name),
            is_own=bool(own.get(name)),
            example=example(name, rules),
            setting=f"follow_up.call_texts.{name}",
            fields=tuple(sorted(kind.known_fields)),
        )
        for name, kind in reminder_kinds().items()
    ]
    can_listen = SPEECH in request.app
    return await render_room(request, visit, "texts.html", room="reminders", kinds=kinds, can_listen=can_listen)


async def audio(request: web.Request, visit: Visit) -> web.StreamResponse:
    """The example, spoken. Texts hold nothing of anybody's, so that listening is not recorded."""
    name = request.match_info["kind"]
    kind = reminder_kinds().get(name)
    if kind is None:
        raise NotFound
    speech = request.app.get(SPEECH)
    if speech is None:
        raise CannotSpeak
    try:
        path = await speech.speak(f"{example(name, rules_of(request))}{kind.key_prompt}")
    except SpeechFailed as error:
        raise CannotSpeak from error
    headers = {"Content-Type": "audio/wav", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}
    return web.FileResponse(path, headers=headers)


def example(kind: str, rules: FollowUpRules) -> str:
    """The text of a kind about an invented matter."""
    now = EXAMPLE_DAY.replace(tzinfo=rules.zone, hour=10)
    matter = SpokenMatter(
        reported="厨房水管漏水",
        place=Place(building="3", unit="2", room="501"),
        ticket_number="GD-1124-0001",
        promised_for=now + timedelta(hours=5, minutes=30),
        agent=next(iter(rules.agent_names.values()), None),
        name="王女士",
        amount_fen=126_400,
        items="2026年7月至9月物业费",
        due_on=date(2026, 11, 30),
        text="11月26日14:00-18:00，3栋停水检修，请提前储水",
    )
    return spoken(kind, matter, now=now, rules=rules)
