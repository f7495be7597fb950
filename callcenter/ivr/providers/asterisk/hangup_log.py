"""The hang-up handler's log: every call that ended on an Asterisk, also while nobody of us was connected.

The dialplan writes one entry a call into Asterisk's own database (AstDB), which survives its restarts. We read it
through a Local channel, since a database function can be asked on a channel only, and have the dialplan remove what is
taken. An entry: `began=..&ended=..&from=..&to=..&handled=1&source=..&mail=..&legs=..`, a leg:
`agent:dialled:ring_ms:answered:over:status:cause`; times are seconds since 1970 with three decimals.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from callcenter.domain.calls import Direction, EndReason, EventKind
from callcenter.ivr.providers.asterisk.ari import AriClient
from callcenter.ivr.providers.asterisk.ari_errors import AriGone, AriRefused
from callcenter.ivr.providers.asterisk.ledger import CallLedger
from callcenter.ivr.providers.asterisk.names import phone_number

log = structlog.get_logger()

LOG = "Local/log@callcenter-hangups/n"
TAKEN = "Local/taken@callcenter-hangups/n"
MOST_AT_ONCE = 40
READ_TRIES = 100
READ_PAUSE_SECONDS = 0.05
FALLBACK_ATTEMPT = 998
"""The attempt that legs of the dialplan's own ringing are named with."""
REASONS = {
    "BUSY": EndReason.BUSY,
    "NOANSWER": EndReason.NO_ANSWER,
    "CANCEL": EndReason.CANCELLED,
    "CONGESTION": EndReason.FAILED,
    "CHANUNAVAIL": EndReason.FAILED,
}
CODES = {17: 486, 21: 603, 1: 404}


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedLeg:
    """An agent's phone that the dialplan rang by itself. `ring_ms`: from its dialling until it rang, if it did."""

    agent: str
    dialled: datetime
    ring_ms: int | None
    answered: datetime | None
    over: datetime
    status: str
    cause: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedCall:
    """`handled`: it was ours, and the fallback did not run."""

    channel: str
    began: datetime
    ended: datetime
    from_number: str
    to_number: str
    handled: bool
    hung_up_by: str | None
    legs: tuple[LoggedLeg, ...]
    mail_from: datetime | None


def read_entry(channel: str, written: str) -> LoggedCall:
    """Raises ValueError."""
    fields = dict(part.split("=", 1) for part in written.split("&") if "=" in part)
    try:
        return LoggedCall(
            channel=channel,
            began=_time(fields["began"]),
            ended=_time(fields["ended"]),
            from_number=fields.get("from", ""),
            to_number=fields.get("to", ""),
            handled=fields.get("handled") == "1",
            hung_up_by=fields.get("source") or None,
            legs=tuple(_leg(one) for one in fields.get("legs", "").split(",") if one),
            mail_from=_time(fields["mail"]) if fields.get("mail") else None,
        )
    except KeyError as error:
        raise ValueError(f"the entry of {channel} has no {error.args[0]}") from error


def _leg(written: str) -> LoggedLeg:
    agent, dialled, ring, answered, over, status, cause = written.split(":")
    return LoggedLeg(
        agent=agent,
        dialled=_time(dialled),
        ring_ms=int(ring) if ring else None,
        answered=_time(answered) if answered else None,
        over=_time(over),
        status=status,
        cause=int(cause) if cause else None,
    )


def _time(written: str) -> datetime:
    return datetime.fromtimestamp(float(written), UTC)


class HangupLog:
    """The log of one Asterisk."""

    def __init__(self, ari: AriClient) -> None:
        self._ari = ari
        self._family = f"callcenter-{ari.settings.app}"

    async def entries(self) -> list[LoggedCall]:
        """The oldest hundred. An entry that cannot be read stays and is named in our log. Raises AriError."""
        near, far = f"callcenter-log-{secrets.token_hex(8)}", f"callcenter-log-{secrets.token_hex(8)}"
        variables = {"__CALLCENTER_FAMILY": self._family}
        await self._ari.originate(LOG, channel=near, other_channel=far, variables=variables)
        try:
            count = int(await self._when_there(far, "CALLCENTER_COUNT"))
            found = [await self._entry(far, number) for number in range(1, count + 1)]
            return [entry for entry in found if entry is not None]
        finally:
            await self._ari.hang_up(far)

    async def _when_there(self, channel: str, name: str) -> str:
        """The dialplan sets it within a moment. Raises AriError."""
        for _ in range(READ_TRIES):
            with contextlib.suppress(AriGone):
                if found := await self._ari.variable(channel, name):
                    return found
            await asyncio.sleep(READ_PAUSE_SECONDS)
        raise AriRefused(
            "the dialplan's callcenter-hangups does not answer: is it the one of deploy/asterisk?", status=0
        )

    async def _entry(self, channel: str, number: int) -> LoggedCall | None:
        key = await self._ari.variable(channel, f"CALLCENTER_KEY_{number}")
        try:
            return read_entry(key, await self._ari.variable(channel, f"CALLCENTER_ENTRY_{number}"))
        except ValueError as error:
            log.error("an entry of the hang-up log cannot be read", entry=key, error=str(error))
            return None

    async def remove(self, channels: Sequence[str]) -> None:
        """Has the dialplan forget these. Raises AriError."""
        for begin in range(0, len(channels), MOST_AT_ONCE):
            keys = ",".join(channels[begin : begin + MOST_AT_ONCE])
            variables = {"__CALLCENTER_TAKEN": keys, "__CALLCENTER_FAMILY": self._family}
            try:
                await self._ari.originate(TAKEN, context="callcenter-hangups", extension="taken", variables=variables)
            except AriRefused as refused:
                log.warning("entries of the hang-up log stay", reason=str(refused))
                return


def write_events(call: LoggedCall, ledger: CallLedger) -> None:
    """What the log says, under the ids that the same events have when we hear them ourselves."""
    ledger.write(
        EventKind.CALL_STARTED,
        call.began,
        data={
            "direction": Direction.INBOUND.value,
            "from": phone_number(call.from_number),
            "to": phone_number(call.to_number),
        },
    )
    for number, leg in enumerate(call.legs):
        _write_leg(leg, f"{call.channel}-leg-{FALLBACK_ATTEMPT}-{leg.agent}-{number}", ledger)
    if call.mail_from is not None:
        ledger.write(EventKind.VOICE_MAIL_STARTED, call.mail_from)
    ledger.write(
        EventKind.CALL_ENDED,
        call.ended,
        data={"reason": EndReason.COMPLETED.value, "hung_up_by": call.hung_up_by},
    )


def _write_leg(leg: LoggedLeg, name: str, ledger: CallLedger) -> None:
    who = {"agent": leg.agent}
    ledger.write(EventKind.LEG_INITIATED, leg.dialled, leg=name, data=who)
    if leg.ring_ms is not None:
        ledger.write(EventKind.LEG_RINGING, leg.dialled + timedelta(milliseconds=leg.ring_ms), leg=name, data=who)
    reason, code = REASONS.get(leg.status, EndReason.FAILED), CODES.get(leg.cause or 0)
    if leg.answered is not None:
        ledger.write(EventKind.LEG_ANSWERED, leg.answered, leg=name, data=who)
        reason, code = EndReason.COMPLETED, None
    ledger.write(EventKind.LEG_ENDED, leg.over, leg=name, data=who | {"reason": reason.value, "sip_code": code})
