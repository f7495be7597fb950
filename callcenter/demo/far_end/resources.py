"""What the provider keeps: calls and recordings, as its forms and its REST answers show them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

API_VERSION = "2010-04-01"
FINAL_STATUSES = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


def stamp(at: datetime) -> str:
    """RFC 2822 in UTC, cut down to the second, as the provider writes every time."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0))


@dataclass(kw_only=True)
class Recording:
    sid: str
    call_sid: str
    account_sid: str
    channels: int
    seconds: float
    started_at: datetime
    source: str
    wav: bytes = field(repr=False)

    @property
    def path(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Recordings/{self.sid}"

    def as_json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "call_sid": self.call_sid,
            "api_version": API_VERSION,
            "channels": self.channels,
            "duration": str(round(self.seconds)),
            "start_time": stamp(self.started_at),
            "date_created": stamp(self.started_at),
            "date_updated": stamp(self.started_at),
            "source": self.source,
            "status": "completed",
            "error_code": None,
            "price": None,
            "price_unit": "USD",
            "conference_sid": None,
            "encryption_details": None,
            "media_url": None,
            "uri": f"{self.path}.json",
            "subresource_uris": {},
        }


@dataclass(kw_only=True)
class ProviderCall:
    """One leg: the resident's, an agent's (with a parent), or a call that the server asked for."""

    sid: str
    account_sid: str
    direction: str
    from_number: str
    to: str
    created_at: datetime
    parent_sid: str | None = None
    status: str = "ringing"
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    sip_code: int | None = None
    heard: list[str] = field(default_factory=list)
    recordings: list[Recording] = field(default_factory=list)

    def answer(self, at: datetime) -> None:
        if self.answered_at is None:
            self.status, self.answered_at = "in-progress", at

    def end(self, at: datetime, status: str, sip_code: int | None = None) -> None:
        if self.ended_at is None:
            self.status, self.ended_at, self.sip_code = status, at, sip_code

    @property
    def seconds(self) -> int:
        """From answer to end, whole seconds, as it is billed; 0 where it was not answered."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())

    def form(self) -> dict[str, str]:
        """What every request about this call carries."""
        fields = {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "From": self.from_number,
            "To": self.to,
            "Caller": self.from_number,
            "Called": self.to,
            "CallStatus": self.status,
            "Direction": self.direction,
            "ApiVersion": API_VERSION,
        }
        return {**fields, "ParentCallSid": self.parent_sid} if self.parent_sid else fields

    def as_json(self) -> dict[str, Any]:
        path = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": self.parent_sid,
            "api_version": API_VERSION,
            "direction": "inbound" if self.direction == "inbound" else self.direction,
            "from": self.from_number,
            "from_formatted": self.from_number,
            "to": self.to,
            "to_formatted": self.to,
            "caller_name": None,
            "forwarded_from": None,
            "group_sid": None,
            "phone_number_sid": None,
            "trunk_sid": None,
            "queue_time": "0",
            "status": self.status,
            "answered_by": self.answered_by,
            "date_created": stamp(self.created_at),
            "date_updated": stamp(self.ended_at or self.answered_at or self.created_at),
            "start_time": stamp(self.answered_at or self.created_at),
            "end_time": stamp(self.ended_at) if self.ended_at else None,
            "duration": str(self.seconds) if self.ended_at else None,
            "price": None,
            "price_unit": "USD",
            "annotation": None,
            "uri": f"{path}.json",
            "subresource_uris": {"recordings": f"{path}/Recordings.json"},
        }
