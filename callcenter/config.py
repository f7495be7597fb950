"""Settings, from a TOML file, the console and the environment, checked at start.

The environment wins over all: `CALLCENTER_SERVER__PORT=8080` is `port` under `[server]`. What people changed in the
console (services.console_settings) wins over the file; a list is replaced as a whole.
A wrong or missing setting is reported by its key, its value and what to do about it (`SettingsError`).
"""

import ipaddress
import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings.exceptions import SettingsError as UnreadableVariable

from callcenter.config_errors import one_line_each
from callcenter.domain.call_text import UnusableText, check_text
from callcenter.domain.counted_calls import Counting
from callcenter.domain.decent_times import Days
from callcenter.domain.phone_numbers import dialable
from callcenter.domain.reminder_kinds import reminder_kinds
from callcenter.domain.reply_templates import check_template
from callcenter.domain.tickets import RequestType

ENV_PREFIX = "CALLCENTER_"
DEFAULT_FILE = Path("callcenter.toml")
REPOSITORY = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """One or more settings are wrong; each line names the key, its value and the remedy. `keys` are those keys."""

    def __init__(self, message: str, *, keys: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = Field(
        "http://127.0.0.1:8080",
        description="The address under which the provider reaches this server, as it signs it, for example https://hotline.example.com",
    )
    data_dir: Path = Field(
        Path("var"),
        description="Recordings, the job queue and the spool are kept here; only our own user may look into it (0700)",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses or networks of our own reverse proxies, for example 127.0.0.1 or 10.0.0.0/24: only from"
        " these X-Forwarded-For and X-Forwarded-Proto are believed",
    )

    @field_validator("data_dir")
    @classmethod
    def _can_be_a_folder(cls, value: Path) -> Path:
        standing = next(place for place in (value.absolute(), *value.absolute().parents) if os.path.lexists(place))
        if not standing.is_dir():
            raise ValueError(f"{standing} is a file; give a folder, or a place where one can be made")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise ValueError(f"{one!r}: give an address or a network such as 10.0.0.0/24") from error
        return value

    @field_validator("public_url")
    @classmethod
    def _is_base_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give scheme and host, for example https://hotline.example.com")
        return value.rstrip("/")


class DatabaseSettings(Section):
    url: str = Field(
        "",
        description="sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME; empty: in data_dir",
    )

    @field_validator("url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value and not value.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("use sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/DATABASE")
        from sqlalchemy.engine import make_url  # here, so that commands without a database start quickly
        from sqlalchemy.exc import ArgumentError

        try:
            make_url(value or "sqlite://")
        except (ArgumentError, ValueError) as error:
            raise ValueError("cannot be read as an address; write special characters of the password as %XX") from error
        return value


class TwilioSettings(Section):
    """A Twilio-compatible provider. Without `auth_token` its endpoints are closed."""

    account_sid: str = ""
    auth_token: SecretStr = SecretStr("")
    from_number: str = Field("", description="The hotline's own number, shown to residents we phone (+86...)")
    api_url: str = Field("https://api.twilio.com", description="REST address; another vendor's speaks the same")
    recording_hosts: tuple[str, ...] = Field(
        ("api.twilio.com",),
        description="Hosts from which recordings may be fetched: host (by the scheme and port of api_url) or host:port",
    )
    voice: str = Field("", description="Voice name of the provider's speech synthesis; empty: its default")
    whole_seconds: bool = Field(True, description="The provider's clock shows whole seconds")


class AsteriskSettings(Section):
    """An Asterisk of our own, reached by its REST interface (ARI). `docs/asterisk.md` sets one up."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = Field(
        "main", description="Tells several apart and is part of every call's id: never change it"
    )
    url: str = Field("http://127.0.0.1:8088", description="Where its HTTP server listens, without /ari")
    user: str = Field("callcenter", description="As in its ari.conf")
    password: SecretStr = Field(SecretStr(""), description="As in its ari.conf; better in password_file")
    password_file: Path | None = Field(None, description="A file that holds the password and nothing else")
    app: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")] = Field(
        "callcenter", description="The application's name, as in its dialplan (CALLCENTER_APP)"
    )
    phone_endpoint: str = Field("PJSIP/{user}", description="How an agent's sip:user@host is rung")
    trunk_endpoint: str = Field("PJSIP/{number}@trunk", description="How an outside number is rung")
    from_number: str = Field("", description="The hotline's own number, shown to outside numbers that we ring (+86...)")
    dials_out: bool = Field(
        True, description="Reminders and other calls of ours go out over it; false: over [twilio], if that is set up"
    )
    detect_machines: bool = Field(
        True, description="Listen to the first seconds of an answered call of ours for an answering machine (AMD)"
    )
    prompts_dir: Path | None = Field(
        None,
        description="Where we put spoken texts for that Asterisk to play; it must be able to read them there. Empty:"
        " `asterisk-prompts` in data_dir, which only our own user may look into",
    )
    prompts_seen_as: Path | None = Field(
        None, description="The same folder as that Asterisk sees it, where its file system is another than ours"
    )
    heartbeat_seconds: Annotated[float, Field(gt=0, le=120)] = Field(
        10.0, description="Without an answer to a ping for so long the connection counts as lost and is made anew"
    )

    @field_validator("url")
    @classmethod
    def _is_base_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give scheme, host and port, for example http://127.0.0.1:8088")
        return value.rstrip("/").removesuffix("/ari")

    @field_validator("password_file")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                value.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise ValueError(f"cannot be read ({error}); give a file that our own user may read") from error
        return value

    @field_validator("phone_endpoint", "trunk_endpoint")
    @classmethod
    def _has_its_field(cls, value: str, info: ValidationInfo) -> str:
        wanted = "{user}" if info.field_name == "phone_endpoint" else "{number}"
        if value.count("{") != 1 or wanted not in value:
            raise ValueError(f"{wanted} must stand in it once, as in PJSIP/{wanted}")
        return value

    @model_validator(mode="after")
    def _one_password(self) -> "AsteriskSettings":
        if bool(self.password.get_secret_value()) == (self.password_file is not None):
            raise ValueError("give password or password_file, one of them: what ari.conf has for this user")
        return self

    def secret(self) -> str:
        if self.password_file is not None:
            return self.password_file.read_text(encoding="utf-8").strip()
        return self.password.get_secret_value()


class RingSettings(Section):
    cycle_seconds: Annotated[float, Field(gt=0, le=20)] = 5.0
    rings: Annotated[int, Field(ge=1, le=20)] = 3


class AnsweringSettings(Section):
    """What the figures of answering are held against."""

    in_time_seconds: Annotated[float, Field(ge=0.1, le=3600)] = Field(
        15.0, description="Service level: answered within this time from the end of the menu (GB/T 33358: 15 s)"
    )
    target: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.95, description="The within-three-rings share and the connection rate to reach (GB/T 33358: 95 % over 24 h)"
    )
    after_call_seconds: Annotated[float | None, Field(ge=0, le=3600)] = Field(
        None,
        description="Your own measurement of the work after a call, for where nobody reports it; empty: then AHT is"
        " not shown, and staffing counts talking only",
    )


class StaffingSettings(Section):
    """How many agents are wanted: `served_share` of the callers within `answering.in_time_seconds`."""

    served_share: Annotated[float, Field(gt=0, lt=1)] = 0.9
    patience_seconds: Annotated[float | None, Field(gt=0, le=7200)] = Field(
        None, description="How long callers wait on average before they hang up (Erlang A); empty: for ever (Erlang C)"
    )
    history_weeks: Annotated[int, Field(ge=1, le=52)] = Field(
        8, description="The forecast is the mean of so many of the last days of the same kind"
    )


class RingStrategy(StrEnum):
    IN_ORDER = "in_order"
    ALL_AT_ONCE = "all_at_once"
    LONGEST_IDLE = "longest_idle"


class MenuSettings(Section):
    choices: dict[str, RequestType] = Field(
        {
            "1": RequestType.REPAIR,
            "2": RequestType.COMPLAINT,
            "3": RequestType.ENQUIRY,
            "4": RequestType.PROGRESS,
        },
        description="What a key of the menu says of the request, where the words do not",
    )
    enabled: bool = False
    prompt: str = "报修请按1，投诉请按2，咨询请按3，查询进度请按4，人工服务请按0。"
    seconds: Annotated[int, Field(ge=1, le=60)] = 5


class QueueSettings(Section):
    """Where every agent who is ready is talking, residents wait in line instead of ringing a phone in use."""

    enabled: bool = False
    prompt: str = Field(
        "客服都在通话中，您前面还有{ahead}位，请稍候。不想等请按1，我们为您保留位置，轮到您时给您回电。",
        description="Said again and again; {ahead} is how many are before the caller",
    )
    kept: str = "好的，您的位置已经保留，轮到您时我们马上给您回电，再见。"
    say_every_seconds: Annotated[int, Field(ge=5, le=120)] = 20
    longest_seconds: Annotated[int, Field(ge=10, le=3600)] = Field(300, description="Then voice mail")

    @field_validator("prompt")
    @classmethod
    def _names_the_place(cls, value: str) -> str:
        if value.count("{") != 1 or "{ahead}" not in value:
            raise ValueError("{ahead} must stand in it once: how many callers are before this one")
        return value


class CallFlowSettings(Section):
    notice: str = "您好，翠湖物业客服热线，为了保证服务质量，本次通话将被录音。"
    strategy: RingStrategy = Field(
        RingStrategy.IN_ORDER, description="longest_idle: whose last conversation ended longest ago is rung first"
    )
    owner_first: bool = Field(
        True, description="A resident with an open ticket is offered to its owner first, where that agent is free"
    )
    ring_seconds: Annotated[int, Field(ge=5, le=120)] = 20
    wrap_up_seconds: Annotated[int, Field(ge=0, le=1800)] = Field(
        0, description="After a call the agent is not rung for so long, unless they say that they are ready"
    )
    menu: MenuSettings = MenuSettings()
    voice_mail_prompt: str = "对不起，客服现在都在忙。请在提示音后说明您的房号和需要，我们会尽快给您回电。"
    voice_mail_seconds: Annotated[int, Field(ge=10, le=600)] = 120
    voice_mail_thanks: str = "您的留言已收到，我们会尽快给您回电，感谢您的来电，再见。"
    confirm_prompt: str = "翠湖物业热线来电，接听请按1。"
    confirm_seconds: Annotated[int, Field(ge=2, le=30)] = 8
    queue: QueueSettings = QueueSettings()
    recording_key: Annotated[str, Field(pattern=r"^([*#][0-9]{1,2})?$")] = Field(
        "*3", description="Keys by which an agent's phone pauses the recording and goes on with it; empty: none"
    )
    fallback_number: str = Field("", description="Where a caller is connected when we cannot decide; empty: voice mail")
    language: str = "zh-CN"
    recorded_prompts: Path | None = Field(
        None,
        description="Your own Asterisk: a folder in which NAME.wav (PCM) says what NAME.txt holds. A text that stands"
        " there word for word is played from the recording; all others are synthesised",
    )


class AgentSettings(Section):
    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
    name: str
    phone: str = Field(description="sip:user@host, client:name or a number (+8613...)")
    estates: tuple[str, ...] = Field(
        (), description="Estates whose residents this agent is rung for before others; empty: all alike"
    )

    @property
    def is_outside(self) -> bool:
        """An outside number answers only by a key press: its voice mail picks up too."""
        return not self.phone.startswith(("sip:", "client:"))


class DepartmentSettings(Section):
    """Whom agents pass residents on to, or call in as a third person."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
    name: str
    phone: str = Field(description="sip:user@host, client:name or a number (+8621...)")


class SpeechNumber(Section):
    """A hotline number whose callers speak another language than those of the rest."""

    number: str = Field(description="The number that was called, as the provider reports it: +862158880000")
    model: str = Field(description="Name of a model in models/manifest.toml, or a folder; with its own language")


class SpeechSettings(Section):
    model: str = Field("demo-zh", description="Name of a model in models/manifest.toml, or a folder")
    engine: Literal["", "vosk", "sherpa"] = Field(
        "",
        description="The engine of a model that is given as a folder; empty: vosk. A model of the manifest has its own."
        " sherpa needs `pip install callcenter[sherpa]`",
    )
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = Field(
        "zh", description="The language of a model that is given as a folder"
    )
    numbers: tuple[SpeechNumber, ...] = ()
    word_list: Path | None = Field(
        None,
        description="A text file with names and terms that callers say and the model does not know, one a line: where"
        " words sound the same, the ticket's are these",
    )

    @field_validator("word_list")
    @classmethod
    def _is_word_list(cls, value: Path | None) -> Path | None:
        if value is None:
            return None
        from callcenter.domain.word_list import read_word_list

        try:
            read_word_list(value.read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{value}: {error}; give a text file in UTF-8") from error
        return value

    models_dir: Path = REPOSITORY / "models"
    processes: Annotated[int, Field(ge=0, le=64)] = Field(0, description="Recogniser processes; 0: one a core")
    live: bool = Field(
        False,
        description="Transcribe calls while they go on, from the provider's media stream (it charges for it): words on"
        " the call's page, danger at once, the ticket when the resident hangs up. Needs an https public_url that lets"
        " websockets through; recordings are transcribed all the same",
    )
    live_processes: Annotated[int, Field(ge=0, le=64)] = Field(
        0,
        description="Processes for live calls, each with the model in memory; 0: one a core",
    )
    live_calls_per_process: Annotated[int, Field(ge=1, le=500)] = Field(
        20, description="Calls that one process hears at a time; further ones wait for their recording"
    )
    max_recording_seconds: Annotated[int, Field(ge=60)] = 4 * 3600
    max_recording_bytes: Annotated[int, Field(ge=1_000_000)] = 256 * 1024 * 1024


class UnderstandingSettings(Section):
    rules_dir: Path | None = Field(
        None,
        description="A folder whose rule files (categories.toml, urgency.toml, service_language.toml ...) replace the "
        "built-in ones; empty: the folder rules below server.data_dir, where the console keeps what is edited there",
    )
    area_code: Annotated[str, Field(pattern=r"^(0\d{2,3})?$")] = Field(
        "", description="Area code of the estates, which a bare landline number takes, for example 021"
    )

    @field_validator("rules_dir")
    @classmethod
    def _is_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("no such folder; make it, or leave the setting out to use the built-in rules")
        return value


class HoursRange(Section):
    start: time
    end: time

    @model_validator(mode="after")
    def _in_order(self) -> "HoursRange":
        if self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class LimitSettings(Section):
    """A time limit of your own. What is left out fits every ticket; the first that fits replaces the built-in one."""

    kind: Literal["first_reply", "settled"] = "settled"
    request_type: str | None = None
    urgency: Literal["emergency", "urgent", "normal"] | None = None
    category: str | None = None
    hours: Annotated[float, Field(gt=0, le=24 * 365)]
    counted: Literal["clock", "working_time"] = Field(
        "clock", description="working_time counts office hours of working days only"
    )


class TrunkSettings(Section):
    """A way out to the residents; several share the calls, each within its limits."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = "main"
    from_number: str = Field("", description="The number shown to residents; empty: the provider's from_number")
    calls_at_once: Annotated[int, Field(ge=1)] = 20
    calls_a_minute: Annotated[int, Field(ge=1)] = 60


class KindSettings(Section):
    """When a kind of reminder may go out, where that differs from its own rule."""

    hours: tuple[HoursRange, ...] = Field((), description="Empty: the kind's own, else decent_hours")
    days: Days | None = Field(None, description="Empty: the kind's own rule")


class IncidentSettings(Section):
    """When several homes' tickets about the same thing in the same place are one incident."""

    enabled: bool = True
    window_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = Field(
        120, description="Reports so close together count as one thing; an open incident takes later ones too"
    )
    suggested_from_homes: Annotated[int, Field(ge=2)] = Field(2, description="From here a person is asked")
    formed_from_homes: Annotated[int, Field(ge=0)] = Field(3, description="From here it is one; 0: never unasked")
    categories: tuple[str, ...] = Field(
        (
            *("plumbing", "power", "lift", "access", "fire", "gas", "heating", "structure", "odour"),
            *("public_facility", "cleaning", "security", "noise"),
        ),
        description="Categories in which homes can share a cause",
    )


class FollowUpSettings(Section):
    decent_hours: tuple[HoursRange, ...] = (
        HoursRange(start=time(9), end=time(12)),
        HoursRange(start=time(14), end=time(20)),
    )
    missed_call_minutes: Annotated[int, Field(ge=1)] = 15
    complaint_first_reply_hours: Annotated[int, Field(ge=1)] = 24
    attempts_per_topic: Annotated[int, Field(ge=1)] = 3
    attempts_per_number_a_day: Annotated[int, Field(ge=1)] = 5
    tick_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    limits: tuple[LimitSettings, ...] = Field((), description="Time limits of your own, by type, urgency and category")
    satisfaction_minutes: Annotated[int, Field(ge=0)] = Field(
        30, description="How long after the fix the resident is asked about it (in decent hours)"
    )
    satisfaction_again_days: Annotated[int, Field(ge=1)] = Field(
        3, description="How long after an unhappy answer the resident is asked once more"
    )
    appointment_hours: Annotated[int, Field(ge=1, le=48)] = Field(
        2, description="How long before a visit it is confirmed by phone (in decent hours)"
    )
    incidents: IncidentSettings = IncidentSettings()
    trunks: Annotated[tuple[TrunkSettings, ...], Field(min_length=1)] = (TrunkSettings(),)
    kinds: dict[str, KindSettings] = Field({}, description="Hours and days by reminder kind")
    call_texts: dict[str, str] = Field(
        {},
        description="Spoken texts by reminder kind, for the built-in ones; heard by `callcenter reminders preview`",
    )

    @field_validator("trunks")
    @classmethod
    def _trunks_differ(cls, trunks: tuple[TrunkSettings, ...]) -> tuple[TrunkSettings, ...]:
        if len({trunk.name for trunk in trunks}) < len(trunks):
            raise ValueError("two trunks have the same name; give each a name of its own")
        return trunks

    @field_validator("kinds", "call_texts")
    @classmethod
    def _known_kinds(cls, by_kind: dict[str, Any]) -> dict[str, Any]:
        unknown = next((name for name in by_kind if name not in reminder_kinds()), None)
        if unknown is not None:
            raise ValueError(f"{unknown}: no such kind of reminder; use {', '.join(reminder_kinds())}")
        return by_kind

    @field_validator("call_texts")
    @classmethod
    def _usable_texts(cls, texts: dict[str, str]) -> dict[str, str]:
        for name, text in texts.items():
            try:
                check_text(text, reminder_kinds()[name])
            except UnusableText as error:
                raise ValueError(f"{name}: {error}") from error
        return texts


class CalendarSettings(Section):
    timezone: str = "Asia/Shanghai"
    holidays: tuple[date, ...] = Field((), description="Days off that the calendar library does not know")
    working_days: tuple[date, ...] = Field((), description="Make-up working days that the library does not know")
    office_hours: Annotated[tuple[HoursRange, ...], Field(min_length=1)] = Field(
        (HoursRange(start=time(9), end=time(12)), HoursRange(start=time(14), end=time(18))),
        description="Working time is counted in these hours of working days",
    )
    office_hours_by_estate: dict[str, Annotated[tuple[HoursRange, ...], Field(min_length=1)]] = Field(
        {}, description="Other office hours for an estate, by its name"
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("give an IANA time zone such as Asia/Shanghai") from error
        return value


class DutySettings(Section):
    """Hours of the week. An `end` that is not after `start` is on the next day; both 00:00: the whole day."""

    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = (
        *("mon", "tue", "wed", "thu", "fri"),
        *("sat", "sun"),
    )
    start: time = time(0)
    end: time = time(0)


class OnCallSettings(Section):
    """Who is phoned in an emergency, in this order, until somebody acknowledges by pressing 1."""

    name: Annotated[str, Field(min_length=1)]
    phone: str = Field(description="A number that can be dialled (+8613...)")
    duty: tuple[DutySettings, ...] = Field((), description="When this person is on call; empty: at all hours")
    estates: tuple[str, ...] = Field((), description="Only for these estates; empty: for all")

    @field_validator("phone")
    @classmethod
    def _dialable(cls, value: str) -> str:
        number = dialable(value)
        if number is None:
            raise ValueError("give a number that can be dialled, for example +8613800000000")
        return number


class EmergencySettings(Section):
    answer_seconds: Annotated[int, Field(ge=20, le=600)] = Field(
        60, description="Without an acknowledgement for so long the next on-call person is phoned"
    )
    rounds: Annotated[int, Field(ge=1, le=20)] = Field(
        3, description="How often each on-call person is phoned at most; then the supervisor is told"
    )


class EscalationSettings(Section):
    """Who hears when that a limit is about to pass: agent, then supervisor, then deputy general manager."""

    longest_ahead_hours: Annotated[float, Field(gt=0)] = Field(
        4.0, description="The agent is told when a quarter of the time is left, but not earlier than this"
    )
    repeat_minutes: Annotated[int, Field(ge=1)] = Field(30, description="Repeated at growing intervals until seen to")
    emergency_repeat_minutes: Annotated[int, Field(ge=1)] = 5
    tellings_before_up: Annotated[int, Field(ge=1)] = Field(
        3, description="Told so often without an acknowledgement, the next level is told"
    )
    quiet_from: time = Field(time(22), description="From here nobody is told anything but emergencies ...")
    quiet_until: time = Field(time(7), description="... until here")
    serious_categories: tuple[str, ...] = Field(
        ("attitude",), description="Complaints of these categories go to the supervisor at once"
    )


class NotifySettings(Section):
    """A person who is told, and over which channels. `callcenter doctor` says where a level has nobody."""

    name: Annotated[str, Field(min_length=1)]
    level: Annotated[int, Field(ge=1, le=3)] = Field(description="1 agent, 2 supervisor, 3 deputy general manager")
    agent: str | None = Field(None, description="The id of this agent: then told about the agent's own tickets only")
    urls: tuple[SecretStr, ...] = Field(
        (), description="Addresses as apprise writes them: wecombot://..., dingtalk://..., feishu://..., mailtos://..."
    )


class ConsoleSettings(Section):
    company: str = "翠湖物业"
    default_language: Literal["zh", "en"] = "zh"
    session_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 12
    login_attempts_a_minute: Annotated[int, Field(ge=1)] = 10
    reply_templates: dict[str, str] = Field(
        {}, description="Templates for replies by name: in a built-in one's place, a new one, or (empty) none"
    )

    @field_validator("reply_templates")
    @classmethod
    def _can_be_filled_in(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            check_template(name, text)
        return value


class RetentionSettings(Section):
    """How long things are kept. What is deleted is gone; tickets and their history stay."""

    recording_days: Annotated[int, Field(ge=0)] = Field(
        0, description="The sound of calls older than this is deleted, its text stays; 0: kept for ever"
    )
    audit_days: Annotated[int, Field(ge=0)] = Field(
        0, description="Who looked at what, longer ago than this, is deleted; 0: kept for ever"
    )


class LogSettings(Section):
    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything an operator can set. Frozen; handed down, never imported as a global."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    twilio: TwilioSettings = TwilioSettings()
    asterisk: tuple[AsteriskSettings, ...] = ()
    rings: RingSettings = RingSettings()
    answering: AnsweringSettings = AnsweringSettings()
    staffing: StaffingSettings = StaffingSettings()
    call_flow: CallFlowSettings = CallFlowSettings()
    agents: tuple[AgentSettings, ...] = ()
    departments: tuple[DepartmentSettings, ...] = ()
    speech: SpeechSettings = SpeechSettings()
    understanding: UnderstandingSettings = UnderstandingSettings()
    follow_up: FollowUpSettings = FollowUpSettings()
    calendar: CalendarSettings = CalendarSettings()
    on_call: tuple[OnCallSettings, ...] = ()
    emergency: EmergencySettings = EmergencySettings()
    escalation: EscalationSettings = EscalationSettings()
    notify: tuple[NotifySettings, ...] = ()
    console: ConsoleSettings = ConsoleSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    worker_name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")] = Field(
        "1", description="Tells workers on several machines apart; keep it the same over restarts"
    )
    worker_embedded: bool = Field(True, description="`serve` starts and supervises one worker process")
    clock_file: Path | None = Field(None, description="Rehearsals only: a file that sets the time of day")

    @model_validator(mode="after")
    def _agents_differ(self) -> "Settings":
        ids = [agent.id for agent in self.agents]
        repeated = sorted({one for one in ids if ids.count(one) > 1})
        if repeated:
            raise ValueError(f"agents: the id {repeated[0]!r} is used twice; give each agent an id of its own")
        own = [*ids, *(one.id for one in self.departments)]
        shared = sorted({one.id for one in self.departments if own.count(one.id) > 1})
        if shared:
            raise ValueError(f"departments: the id {shared[0]!r} is used twice; agents' ids count as well")
        servers = [server.name for server in self.asterisk]
        same = sorted({one for one in servers if servers.count(one) > 1})
        if same:
            raise ValueError(f"asterisk: the name {same[0]!r} is used twice; give each Asterisk a name of its own")
        names = [person.name for person in self.notify]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise ValueError(f"notify: the name {twice[0]!r} is used twice; give each person one table")
        return self

    @model_validator(mode="after")
    def _no_rehearsal_in_earnest(self) -> "Settings":
        if self.clock_file is not None and self.server.public_url.startswith("https://"):
            raise ValueError(
                "clock_file: a rehearsal's clock, but server.public_url is https, as for real calls; remove clock_file"
            )
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.calendar.timezone)

    @property
    def counting(self) -> Counting:
        """How every report counts calls."""
        return Counting(zone=self.zone, in_time_ms=round(self.answering.in_time_seconds * 1000))

    @property
    def database_url(self) -> str:
        if self.database.url:
            return self.database.url
        return f"sqlite+aiosqlite:///{self.server.data_dir.resolve() / 'callcenter.sqlite'}"

    @property
    def recordings_dir(self) -> Path:
        return self.server.data_dir / "recordings"

    @property
    def rules_dir(self) -> Path:
        """Where rule files of the operator's own are looked for, and saved by the console."""
        return self.understanding.rules_dir or self.server.data_dir / "rules"

    def agent(self, agent_id: str) -> AgentSettings | None:
        return next((agent for agent in self.agents if agent.id == agent_id), None)


def load_settings(file: Path | None = None, console: Mapping[str, Any] = MappingProxyType({})) -> Settings:
    """Reads the file (default: $CALLCENTER_CONFIG, else ./callcenter.toml if it is there) and the environment.

    `console`: what was changed in the console, by key ("call_flow.ring_seconds"). Raises SettingsError naming every
    wrong key.
    """
    named = file or (Path(os.environ["CALLCENTER_CONFIG"]) if os.environ.get("CALLCENTER_CONFIG") else None)
    if named is not None and not named.is_file():
        raise SettingsError(
            f"configuration file {named}: not found; give an existing file to --config or $CALLCENTER_CONFIG"
        )
    path = named or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)
    _refuse_unknown_environment()
    try:
        return _settings_class(path, nested(console))()
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"configuration file {path}: not valid TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"configuration file {path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"configuration file {path}: cannot be read ({error.strerror})") from error
    except UnreadableVariable as error:
        names = ", ".join(_variables_without_json()) or "environment variable"
        raise SettingsError(f"{names}: not valid JSON; lists and tables are written as JSON there") from error
    except ValidationError as error:
        source = " or ".join(filter(None, (str(path or ""), "the console" if console else "", "the environment")))
        raise _refused(error, source) from error


def nested(by_key: Mapping[str, Any]) -> dict[str, Any]:
    """{"call_flow.menu.enabled": True} as {"call_flow": {"menu": {"enabled": True}}}."""
    found: dict[str, Any] = {}
    for key, value in by_key.items():
        *sections, last = key.split(".")
        place = found
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = value
    return found


def changed_settings(settings: Settings, console: Mapping[str, Any]) -> Settings:
    """These settings with what was changed in the console. Raises SettingsError."""
    try:
        return Settings(**_merged(settings.model_dump(), nested(console)))
    except ValidationError as error:
        raise _refused(error, "the console") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: below[name] for name in below.keys() & above.keys() if isinstance(below[name], dict)}
    return {**below, **above, **{name: _merged(value, above[name]) for name, value in both.items()}}


def _refused(error: ValidationError, source: str) -> SettingsError:
    keys = [_wrong_key(problem) for problem in error.errors()]
    return SettingsError("\n".join(one_line_each(error, Settings, source=source)), keys=keys)


def _wrong_key(problem: ErrorDetails) -> str:
    """Of a table whose rule names one of its entries first ("missed_call: ..."), that entry."""
    key = ".".join(map(str, problem["loc"])) or str(problem["msg"])
    entry = str(problem.get("ctx", {}).get("error", "")).partition(":")[0]
    return f"{key}.{entry}" if isinstance(problem["input"], dict) and entry in problem["input"] else key


def set_by_environment(key: str) -> bool:
    """Whether a key, or the section or list that it is in, is set in the environment, which nothing else overrules."""
    parts = key.upper().split(".")
    return any(f"{ENV_PREFIX}{'__'.join(parts[:end])}" in os.environ for end in range(1, len(parts) + 1))


def _variables_without_json() -> Iterator[str]:
    """Names, never values, of the environment's variables that stand for a list or a table and are not JSON."""
    for name, value in os.environ.items():
        if name.startswith(ENV_PREFIX) and _is_list_or_table(name[len(ENV_PREFIX) :].lower().split("__")):
            try:
                json.loads(value)
            except ValueError:
                yield name


def _is_list_or_table(path: list[str]) -> bool:
    annotation: Any = Settings
    for part in path:
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return False
        field = annotation.model_fields.get(part)
        if field is None:
            return False
        annotation = field.annotation
    return get_origin(annotation) in (tuple, dict) or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )


def _settings_class(path: Path | None, console: dict[str, Any]) -> type[Settings]:
    class FileSettings(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            changed = InitSettingsSource(settings_cls, console)
            file = [TomlConfigSettingsSource(settings_cls, path)] if path else []
            return init_settings, env_settings, changed, *file

    return FileSettings


def _refuse_unknown_environment() -> None:
    known = set(Settings.model_fields) | {"config"} | {"test_postgres", "require_browser", "require_asterisk"}
    for name in os.environ:
        if name.startswith(ENV_PREFIX) and name[len(ENV_PREFIX) :].lower().split("__")[0] not in known:
            raise SettingsError(f"environment variable {name}: no such setting; see docs/configuration.md for the list")
