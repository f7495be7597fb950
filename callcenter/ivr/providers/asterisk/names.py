"""How calls, legs, bridges and recordings of an Asterisk are named, so that they are known again after a restart."""

import re
from dataclasses import dataclass

from callcenter.domain.phone_numbers import dialable

NAME = "asterisk"
INBOUND = "inbound"
"""The dialplan's first argument to Stasis for a resident's call."""
PURPOSE = "CALLCENTER_PURPOSE"
"""The channel variable that says what a call of ours is for."""
OUTBOUND = "callcenter-out-"
LEG = re.compile(r"^(?P<call>.+)-leg-(?P<attempt>\d{1,6})-(?P<agent>[a-z0-9_-]{1,32})$")
PART = re.compile(r"^(?P<call>.+?)-(?P<part>supervisor|snoop|ear)-[a-z0-9_-]{1,40}$")
ORDERED = 900_000
"""Legs that somebody at the console asked for are counted from here on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LegName:
    """What the id of an agent's channel says."""

    call: str
    attempt: int
    agent: str


def call_id(server: str, channel: str) -> str:
    """A channel's id is unique within its Asterisk only, so the server's name belongs to it."""
    return f"{NAME}:{server}:{channel}"


def server_and_channel(call: str) -> tuple[str, str]:
    """Raises ValueError for an id that is not ours."""
    name, server, channel = call.split(":", 2)
    if name != NAME:
        raise ValueError(f"{call[:80]!r} is no call of an Asterisk")
    return server, channel


def leg_channel(call: str, attempt: int, agent: str) -> str:
    return f"{call}-leg-{attempt}-{agent}"


def outbound_channel(key: str) -> str:
    return f"{OUTBOUND}{key}"


def leg_name(channel: str) -> LegName | None:
    """None for a channel that is no agent's leg of ours."""
    found = LEG.match(channel)
    if found is None:
        return None
    return LegName(call=found["call"], attempt=int(found["attempt"]), agent=found["agent"])


def call_of(channel: str) -> str | None:
    """The call that this channel belongs to beside the call's own: an agent's leg, a supervisor's phone, a snoop."""
    leg = leg_name(channel)
    if leg is not None:
        return leg.call
    part = PART.match(channel)
    return part["call"] if part is not None else None


def is_supervision(channel: str) -> bool:
    """A supervisor's phone, or what lets it hear."""
    part = PART.match(channel)
    return part is not None and part["part"] != "ear"


def supervisor_channel(call: str, agent: str, number: int) -> str:
    return f"{call}-supervisor-{agent}-{number}"


def snoop_channel(call: str, name: str) -> str:
    return f"{call}-snoop-{name}"


def ear_channel(call: str, name: str) -> str:
    """What hears a side of a call while it goes on, and carries it to us."""
    return f"{call}-ear-{name}"


def supervised_bridge(call: str) -> str:
    return f"{call}-supervised"


def bridge_of(call: str) -> str:
    return f"{call}-talk"


def voice_mail_of(call: str) -> str:
    """The recording's name at the Asterisk."""
    return f"{call}-voicemail"


def side_of(call: str, side: str) -> str:
    """The recording of one side of a conversation; `side` is resident or agent."""
    return f"{call}-{side}"


def phone_number(said: str) -> str | None:
    """A caller's number, or None where it is withheld or is none: a far end may say anything in its place."""
    digits = said.removeprefix("+")
    return (dialable(said) or said) if digits.isascii() and digits.isdigit() and len(digits) <= 20 else None
