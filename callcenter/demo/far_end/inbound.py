"""Plays one scripted call of a resident to the server, from dialling to the last notice about its recording."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.demo.call_script import CallScript
from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.line import HungUp, LineClosed
from callcenter.demo.far_end.people import Phones
from callcenter.demo.far_end.resident_line import ResidentLine
from callcenter.demo.far_end.resources import ProviderCall, stamp
from callcenter.demo.far_end.virtual_time import VirtualTime
from callcenter.demo.far_end.webhooks import ServerFailed

REPEAT_SHARE = 0.25
RECORDING_FIRST_SHARE = 0.4
RECORDING_READY_SECONDS = 1.5


@dataclass(frozen=True, kw_only=True)
class PlayedCall:
    """What became of it on the far end's side. `heard`: the texts spoken to the resident."""

    name: str
    sid: str
    status: str
    recordings: int
    heard: tuple[str, ...]
    ended_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "sid": self.sid,
            "status": self.status,
            "recordings": self.recordings,
            "heard": list(self.heard),
            "ended_at": self.ended_at.isoformat(),
        }


async def play_inbound(exchange: Exchange, script: CallScript, phones: Phones) -> PlayedCall:
    """The clock stands still meanwhile, but for the call's own steps."""
    async with exchange.playing:
        exchange.clock.stand_still()
        try:
            time = VirtualTime(exchange.clock, script.dials_at)
            call = exchange.new_call(
                direction="inbound", from_number=script.number, to=exchange.account.number, at=time.now
            )
            await time.run(_call(exchange, call, time, script, phones))
        finally:
            exchange.clock.run_on()
    return PlayedCall(
        name=script.name,
        sid=call.sid,
        status=call.status,
        recordings=len(call.recordings),
        heard=tuple(call.heard),
        ended_at=call.ended_at or time.now,
    )


async def _call(exchange: Exchange, call: ProviderCall, time: VirtualTime, script: CallScript, phones: Phones) -> None:
    line = ResidentLine(exchange, call, time, script=script, phones=phones)
    status = "completed"
    try:
        await line.follow(exchange.account.voice_url)
    except HungUp:
        pass
    except LineClosed as closed:
        status = closed.status
    except ServerFailed as error:
        exchange.journal.problems.append(f"{script.name}: the call was dropped: {error}")
        status = "completed" if call.answered_at else "failed"
    call.end(time.now, status)
    await _tell_the_end(exchange, line, time, script)


async def _tell_the_end(exchange: Exchange, line: ResidentLine, time: VirtualTime, script: CallScript) -> None:
    """The final status and the recordings' notices; now and then the recordings are ready first."""
    random = line.randomness
    final = _final_form(line.call, time)
    recordings_first = random.random() < RECORDING_FIRST_SHARE
    if not recordings_first:
        await _tell_final(exchange, script, final, repeated=random.random() < REPEAT_SHARE)
    for url, notice in line.recording_notices:
        await time.sleep(RECORDING_READY_SECONDS)
        repeated = random.random() < REPEAT_SHARE
        exchange.journal.repeated += repeated
        await exchange.tell(url, notice, times=2 if repeated else 1)
    if recordings_first:
        exchange.journal.reordered += bool(line.recording_notices)
        await _tell_final(exchange, script, final, repeated=random.random() < REPEAT_SHARE)


async def _tell_final(exchange: Exchange, script: CallScript, form: dict[str, str], *, repeated: bool) -> None:
    if script.table.caller.lose_final:
        exchange.journal.lost += 1
        return
    exchange.journal.repeated += repeated
    await exchange.tell(exchange.account.status_url, form, times=2 if repeated else 1)


def _final_form(call: ProviderCall, time: VirtualTime) -> dict[str, str]:
    return {
        **call.form(),
        "CallbackSource": "call-progress-events",
        "Timestamp": stamp(call.ended_at or time.now),
        "SequenceNumber": "0",
        "CallDuration": str(call.seconds),
        "Duration": str(-(-call.seconds // 60)),
    }
