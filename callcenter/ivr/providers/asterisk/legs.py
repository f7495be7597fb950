"""An agent's phone on one call: what its channel's events make of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callcenter.domain.calls import EndReason, EventKind
from callcenter.domain.moments import Moment
from callcenter.ivr.providers.asterisk.causes import BUSY_CODES, DECLINED, unanswered
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.messages import AriEvent, Channel

SAYS_ITSELF = BUSY_CODES | {DECLINED}
"""A phone that says this has said it, whatever we were about to do with it."""


@dataclass(kw_only=True, slots=True)
class Leg:
    """`in_app`: it is ours, and can be dialled; `connected`: they talk; `given_up`: why we hung it up ourselves.

    `watches`: a supervisor's phone, of which no leg is written down.
    """

    channel: str
    agent: str
    number: str
    must_confirm: bool
    ledger: CallLedger
    watches: bool = False
    name: str = ""
    rang: bool = False
    up: bool = False
    in_app: bool = False
    ring_seconds: int = 0
    is_dialled: bool = False
    confirmed: bool = False
    asked: bool = False
    confirm_until: float | None = None
    ended: bool = False
    given_up: EndReason | None = None
    connected: bool = False
    keys: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """A person is there, and can be bridged."""
        return self.up and not self.ended and self.given_up is None and (self.confirmed or not self.must_confirm)

    def made(self, at: datetime | Moment) -> None:
        self._write(EventKind.LEG_INITIATED, at)

    def not_rung(self, at: datetime | Moment, reason: EndReason) -> None:
        """It is busy, or not there."""
        self.ended = True
        self._write(EventKind.LEG_INITIATED, at)
        self._write(EventKind.LEG_ENDED, at, reason=reason.value)

    def confirm(self, at: datetime) -> None:
        self.confirmed = True
        self._write(EventKind.LEG_CONFIRMED, at)

    def take(self, event: AriEvent) -> None:
        match event.type:
            case "ChannelStateChange":
                if event.channel is not None:
                    self._stands(event.channel, event.at)
            case "StasisStart":
                self.in_app = True
            case "ChannelDtmfReceived":
                self.keys.append((event.text("digit"), event.at))
            case "ChannelDestroyed":
                self._destroyed(event)

    def seen(self, channel: Channel, at: Moment, **how: str) -> None:
        """As it stood after a time in which nothing was heard."""
        self.in_app = True
        self.is_dialled = self.is_dialled or channel.is_ringing or channel.is_up
        self._stands(channel, at, **how)

    def lost(self, at: Moment, *, over_time: bool, **how: str) -> None:
        """It is gone, and how it ended was not heard."""
        reason = EndReason.COMPLETED if self.up else EndReason.NO_ANSWER if over_time else EndReason.FAILED
        self.ended = True
        self._write(EventKind.LEG_ENDED, at, reason=(self.given_up or reason).value, **how)

    def _stands(self, channel: Channel, at: datetime | Moment, **how: str) -> None:
        if channel.is_ringing and not self.rang:
            self.rang = True
            self._write(EventKind.LEG_RINGING, at, **how)
        if channel.is_up:
            self._answered(at, **how)

    def _answered(self, at: datetime | Moment, **how: str) -> None:
        if not self.up:
            self.up = True
            self._write(EventKind.LEG_ANSWERED, at, **how)

    def _destroyed(self, event: AriEvent) -> None:
        cause, tech_cause = event.number("cause"), event.number("tech_cause")
        ending = unanswered(cause, tech_cause, rang=self.rang)
        reason, code = ending.reason, ending.sip_code
        if self.up:
            reason, code = EndReason.COMPLETED, None
        elif self.given_up is not None and code not in SAYS_ITSELF:
            reason, code = self.given_up, None
        self.ended = True
        self._write(
            EventKind.LEG_ENDED, event.at, reason=reason.value, sip_code=code, cause=cause, tech_cause=tech_cause
        )

    def _write(self, kind: EventKind, at: datetime | Moment, **data: Any) -> None:
        if self.watches:
            return
        who = {"agent": self.agent, "number": self.number or None, "needs_confirmation": self.must_confirm or None}
        self.ledger.write(kind, at, leg=self.channel, data=who | data)
