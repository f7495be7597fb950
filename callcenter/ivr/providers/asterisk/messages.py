"""What Asterisk's REST interface and its events websocket say, read into values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

STAMP = "%Y-%m-%dT%H:%M:%S.%f%z"


class Unreadable(Exception):
    """A message that does not say what it must; the text names the field."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """A channel as it stood when it was shown. `app_data` is what the dialplan gave to its application."""

    id: str
    name: str
    state: str
    number: str
    extension: str
    app_name: str
    app_data: str
    created: datetime

    @property
    def is_up(self) -> bool:
        return self.state == "Up"

    @property
    def is_ringing(self) -> bool:
        return self.state == "Ringing"


@dataclass(frozen=True, kw_only=True, slots=True)
class AriEvent:
    """One event. `channel_id` is the channel that it is about, however the event names it; empty: none."""

    type: str
    at: datetime
    channel_id: str = ""
    channel: Channel | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        return str(self.data.get(name) or "")

    def number(self, name: str) -> int | None:
        value = self.data.get(name)
        return value if isinstance(value, int) else None

    def part(self, name: str) -> Mapping[str, Any]:
        value = self.data.get(name)
        return value if isinstance(value, dict) else {}


def read_event(said: object) -> AriEvent:
    """Raises Unreadable."""
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        raise Unreadable("an event without a type")
    try:
        shown = said.get("channel") or said.get("replace_channel")
        channel = read_channel(shown) if shown else None
        return AriEvent(
            type=said["type"], at=stamp(said.get("timestamp")), channel_id=_about(said), channel=channel, data=said
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unreadable(f"{said['type'][:40]}: {error!r}") from error


def read_channel(said: Mapping[str, Any]) -> Channel:
    """Raises KeyError, ValueError where something that every channel has is missing."""
    dialplan = said.get("dialplan") or {}
    return Channel(
        id=str(said["id"]),
        name=str(said["name"]),
        state=str(said["state"]),
        number=str((said.get("caller") or {}).get("number") or ""),
        extension=str(dialplan.get("exten") or ""),
        app_name=str(dialplan.get("app_name") or ""),
        app_data=str(dialplan.get("app_data") or ""),
        created=stamp(said["creationtime"]),
    )


def _about(said: Mapping[str, Any]) -> str:
    for name in ("channel", "peer", "replace_channel"):
        shown = said.get(name)
        if isinstance(shown, dict) and "id" in shown:
            return str(shown["id"])
    for name in ("playback", "recording"):
        target = str((said.get(name) or {}).get("target_uri") or "")
        if target.startswith("channel:"):
            return target.removeprefix("channel:")
    return ""


def stamp(written: object) -> datetime:
    """Milliseconds, with an offset. Raises ValueError."""
    return datetime.strptime(str(written), STAMP).astimezone(UTC)
