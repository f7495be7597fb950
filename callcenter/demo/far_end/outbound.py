"""Takes a call that the server asked for: a resident's phone rings, is answered or not, hears what is said."""

from dataclasses import dataclass

from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.line import HungUp, Line, LineClosed
from callcenter.demo.far_end.people import Hand, ResidentPhone
from callcenter.demo.far_end.resources import ProviderCall
from callcenter.demo.far_end.status import StatusReports
from callcenter.demo.far_end.virtual_time import VirtualTime
from callcenter.demo.far_end.webhooks import ServerFailed

SETUP_SECONDS = 1.2
BUSY_SECONDS = 1.0
PICKS_UP_SECONDS = 4.3
SIP_BUSY, SIP_CANCELLED = 486, 487


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the server asked for: exactly one of `twiml` and `url`."""

    twiml: str | None
    url: str | None
    status_callback: str | None
    status_events: frozenset[str]
    timeout_seconds: float
    detects_machines: bool


async def play_outbound(exchange: Exchange, call: ProviderCall, order: Order, phone: ResidentPhone) -> None:
    """Waits until no other call is being played; the clock stands still meanwhile."""
    async with exchange.playing:
        exchange.clock.stand_still()
        try:
            time = VirtualTime(exchange.clock)
            await time.run(_call(exchange, call, time, order, phone))
        finally:
            exchange.clock.run_on()


async def _call(exchange: Exchange, call: ProviderCall, time: VirtualTime, order: Order, phone: ResidentPhone) -> None:
    reports = StatusReports(
        exchange,
        call,
        time,
        url=order.status_callback,
        events=order.status_events,
        randomness=exchange.randomness(f"call to {call.to}"),
    )
    await reports.report("initiated", "initiated")
    call.status = "initiated"
    await time.sleep(SETUP_SECONDS)
    status, sip_code = await _ring(call, time, order, phone, reports)
    if status == "in-progress":
        status, sip_code = await _speak(exchange, call, time, order, phone), None
    call.end(time.now, status, sip_code)
    await reports.report("completed", status)


async def _ring(
    call: ProviderCall, time: VirtualTime, order: Order, phone: ResidentPhone, reports: StatusReports
) -> tuple[str, int | None]:
    if phone.does == "busy":
        await time.sleep(BUSY_SECONDS)
        return "busy", SIP_BUSY
    call.status = "ringing"
    await reports.report("ringing", "ringing")
    if phone.does == "no_answer":
        await time.sleep(order.timeout_seconds)
        return "no-answer", SIP_CANCELLED
    await time.sleep(PICKS_UP_SECONDS)
    call.answer(time.now)
    call.answered_by = "human" if order.detects_machines else None
    await reports.report("answered", "in-progress")
    return "in-progress", None


async def _speak(exchange: Exchange, call: ProviderCall, time: VirtualTime, order: Order, phone: ResidentPhone) -> str:
    line = Line(exchange, call, time, Hand(keys=phone.presses))
    source = order.url or f"{exchange.account.public_url}/ (the Twiml of the order)"
    try:
        if order.url is not None:
            await line.follow(order.url)
        else:
            verbs = exchange.inline(order.twiml or "", "the Twiml of the order")
            step = await line.carry_out(verbs, exchange.account.public_url + "/")
            if step is not None:
                await line.follow(step.url, step.form)
    except (HungUp, LineClosed):
        pass
    except ServerFailed as error:
        exchange.journal.problems.append(f"call to {call.to}: {source}: {error}")
    return "completed"
