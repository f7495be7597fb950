"""Calls of residents, played against a hotline whose answers the tests choose."""

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from callcenter.demo.call_script import CallScript
from callcenter.demo.far_end.exchange import Exchange
from callcenter.demo.far_end.inbound import play_inbound
from callcenter.demo.far_end.people import Phones
from tests.demo.conftest import Hotline

CALLER = 'title = "x"\n[caller]\nnumber = "+8613812346207"\ndials_at = "10:02:00"\n'
IMPATIENT = CALLER + 'hangs_up = "while_ringing"\ngives_up_after_seconds = {}\n'
AGENT = '[[agents]]\nid = "{}"\ndoes = "{}"\n'
EVENTS = 'statusCallbackEvent="initiated ringing answered completed"'
DIAL = (
    '<Say>您好</Say><Dial timeout="20" action="/ivr/twilio/dial" record="record-from-answer-dual"'
    ' recordingStatusCallback="/ivr/twilio/recording">{}</Dial>'
)
SIP = f'<Sip statusCallback="/ivr/twilio/leg?agent=hewen" {EVENTS}>sip:hewen@pbx.example</Sip>'
OTHER_SIP = f'<Sip statusCallback="/ivr/twilio/leg?agent=chenmin" {EVENTS}>sip:chenmin@pbx.example</Sip>'
MOBILE = (
    f'<Number url="/ivr/twilio/confirm" statusCallback="/ivr/twilio/leg?agent=lijia" {EVENTS}>+8613900004471</Number>'
)
ONE_PHONE = DIAL.format(SIP)

Scripts = Callable[..., CallScript]


def answers(agent: str, ring: float, more: str = "") -> str:
    return AGENT.format(agent, "answers") + f"ring_seconds = {ring}\n{more}"


def by_status(hotline: Hotline, agent: str = "hewen") -> dict[str, dict[str, str]]:
    """The leg's reports by their status; a repeated one counts once."""
    return {one.form["CallStatus"]: one.form for one in hotline.got if one.query.get("agent") == agent}


def at(form: dict[str, str]) -> datetime:
    return parsedate_to_datetime(form["Timestamp"])


async def test_every_request_is_signed_for_the_public_address(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = ONE_PHONE
    await play_inbound(exchange, script(CALLER + answers("hewen", 6.2)), phones)
    assert len(hotline.got) >= 8
    assert all(one.signed and one.token for one in hotline.got)
    assert {one.form["AccountSid"] for one in hotline.got} == {exchange.account.sid}


async def test_an_answered_call_from_ringing_to_recording(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = ONE_PHONE
    played = await play_inbound(exchange, script(CALLER + answers("hewen", 6.2)), phones)
    (voice,) = hotline.forms("voice")
    assert (voice["CallStatus"], voice["Direction"], voice["From"]) == ("ringing", "inbound", "+8613812346207")
    leg = by_status(hotline)
    assert set(leg) == {"initiated", "ringing", "in-progress", "completed"}
    assert [leg[status]["SequenceNumber"] for status in ("initiated", "ringing", "in-progress", "completed")] == [
        *"0123"
    ]
    assert all(form["ParentCallSid"] == voice["CallSid"] != form["CallSid"] for form in leg.values())
    assert 5 <= (at(leg["in-progress"]) - at(leg["ringing"])).total_seconds() <= 7
    (dial,) = hotline.forms("dial")
    assert (dial["DialCallStatus"], dial["DialCallSid"]) == ("completed", leg["completed"]["CallSid"])
    final = hotline.forms("status")[0]
    assert (final["CallStatus"], final["CallSid"]) == ("completed", voice["CallSid"])
    recording = hotline.forms("recording")[0]
    assert (recording["RecordingChannels"], recording["RecordingDuration"]) == ("2", "4")
    assert recording["RecordingUrl"] == f"http://127.0.0.1:9{exchange.recordings[recording['RecordingSid']].path}"
    assert (played.status, played.recordings, played.heard) == ("completed", 1, ("您好",))
    assert exchange.journal.problems == []


async def test_the_clock_shows_the_moment_of_each_event(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    seen: list[tuple[datetime, datetime]] = []

    def look(form: dict[str, str]) -> int:
        seen.append((exchange.clock.now().replace(microsecond=0), at(form)))
        return 204

    hotline.answers |= {"voice": ONE_PHONE, "leg": look, "status": look}
    await play_inbound(exchange, script(CALLER + answers("hewen", 6.2)), phones)
    assert sum(shown == stamped for shown, stamped in seen) >= len(seen) - 2
    assert exchange.clock.running


async def test_a_refusal_goes_to_the_next_phone(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers |= {"voice": ONE_PHONE, "dial": lambda form: DIAL.format(OTHER_SIP)}
    refuses = AGENT.format("hewen", "refuses") + "ring_seconds = 3.4\n"
    await play_inbound(exchange, script(CALLER + refuses + answers("chenmin", 5.0)), phones)
    refused = by_status(hotline)["busy"]
    assert refused["SipResponseCode"] == "603"
    assert hotline.forms("dial")[0]["DialCallStatus"] == "busy"
    assert "completed" in by_status(hotline, "chenmin")


async def test_a_busy_phone_never_rings(exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts) -> None:
    hotline.answers["voice"] = ONE_PHONE
    await play_inbound(exchange, script(CALLER + AGENT.format("hewen", "busy")), phones)
    assert set(by_status(hotline)) == {"initiated", "busy"}
    assert by_status(hotline)["busy"]["SipResponseCode"] == "486"


async def test_a_phone_rings_out_at_the_dials_timeout(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = ONE_PHONE
    await play_inbound(exchange, script(CALLER), phones)
    leg = by_status(hotline)
    assert (at(leg["no-answer"]) - at(leg["initiated"])).total_seconds() in (19, 20)
    assert hotline.forms("dial")[0]["DialCallStatus"] == "no-answer"


@pytest.mark.parametrize(("seconds", "rings"), [(2.5, (2, 3)), (7.0, (7, 7))])
async def test_a_caller_gives_up_after_so_much_ringing(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts, seconds: float, rings: tuple[int, int]
) -> None:
    hotline.answers["voice"] = ONE_PHONE
    played = await play_inbound(exchange, script(IMPATIENT.format(seconds), seconds=None), phones)
    leg = by_status(hotline)
    assert (at(leg["canceled"]) - at(leg["ringing"])).total_seconds() in range(rings[0], rings[1] + 1)
    (dial,) = hotline.forms("dial")
    assert (dial["DialCallStatus"], dial["CallStatus"]) == ("canceled", "completed")
    assert played.recordings == 0


async def test_ringing_is_counted_over_all_phones(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers |= {"voice": ONE_PHONE, "dial": lambda form: DIAL.format(OTHER_SIP)}
    refuses = AGENT.format("hewen", "refuses") + "ring_seconds = 4.0\n"
    await play_inbound(exchange, script(IMPATIENT.format(7.0) + refuses, seconds=None), phones)
    other = by_status(hotline, "chenmin")
    assert (at(other["canceled"]) - at(other["ringing"])).total_seconds() in (2, 3, 4)


async def test_an_outside_number_is_connected_after_its_key(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers |= {
        "voice": DIAL.format(MOBILE),
        "confirm": '<Gather numDigits="1" timeout="8" action="/ivr/twilio/confirmed"><Say>按1</Say></Gather><Hangup/>',
        "confirmed": "",
    }
    await play_inbound(exchange, script(CALLER + answers("lijia", 5.6, "confirms_after_seconds = 2.0\n")), phones)
    leg = by_status(hotline, "lijia")
    (confirmed,) = hotline.forms("confirmed")
    assert (confirmed["Digits"], confirmed["CallSid"]) == ("1", leg["completed"]["CallSid"])
    assert hotline.hooks().index("confirm") < hotline.hooks().index("confirmed") < hotline.hooks().index("dial")
    assert hotline.forms("dial")[0]["DialBridged"] == "true"


async def test_a_mobiles_own_voice_mail_is_not_connected(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers |= {
        "voice": DIAL.format(MOBILE),
        "confirm": '<Gather numDigits="1" timeout="8" action="/ivr/twilio/confirmed"><Say>按1</Say></Gather><Hangup/>',
    }
    played = await play_inbound(exchange, script(CALLER + answers("lijia", 5.6)), phones)
    assert hotline.forms("confirmed") == []
    assert hotline.forms("dial")[0]["DialBridged"] == "false"
    assert played.recordings == 0


async def test_of_several_phones_the_first_to_answer_is_connected(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = DIAL.format(SIP + OTHER_SIP)
    await play_inbound(exchange, script(CALLER + answers("hewen", 6.2) + answers("chenmin", 4.0)), phones)
    assert "in-progress" not in by_status(hotline)
    assert "canceled" in by_status(hotline)
    assert hotline.forms("dial")[0]["DialCallSid"] == by_status(hotline, "chenmin")["completed"]["CallSid"]


async def test_voice_mail_is_recorded_and_the_hang_up_is_told(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    record = (
        '<Say>请留言</Say><Record maxLength="60" action="/ivr/twilio/voicemail"'
        ' recordingStatusCallback="/ivr/twilio/recording"/>'
    )
    hotline.answers |= {"voice": ONE_PHONE, "dial": record}
    played = await play_inbound(exchange, script(CALLER, sides=("resident",)), phones)
    (told,) = hotline.forms("voicemail")
    assert (told["Digits"], told["CallStatus"], told["RecordingDuration"]) == ("hangup", "completed", "4")
    assert hotline.forms("recording")[0]["RecordingChannels"] == "1"
    assert played.recordings == 1


@pytest.mark.parametrize("failure", [500, 404])
async def test_a_failing_server_sends_the_caller_to_the_fallback(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts, failure: int
) -> None:
    hotline.answers |= {"voice": lambda form: failure, "fallback": "<Say>对不起</Say>"}
    played = await play_inbound(exchange, script(CALLER), phones)
    assert hotline.forms("fallback")[0]["ErrorCode"] == "11200"
    assert played.heard == ("对不起",)
    assert f"answered {failure}" in exchange.journal.problems[0]


async def test_a_call_that_cannot_be_saved_is_dropped_and_reported(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers |= {"voice": "<Shout>x</Shout>", "fallback": lambda form: 500}
    played = await play_inbound(exchange, script(CALLER), phones)
    assert played.status == "failed"
    assert "the call was dropped" in exchange.journal.problems[-1]


async def test_a_final_status_can_get_lost(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = ONE_PHONE
    await play_inbound(exchange, script(CALLER + "lose_final = true\n" + answers("hewen", 6.2)), phones)
    assert hotline.forms("status") == []
    assert exchange.journal.lost == 1


async def test_repeats_and_disorder_are_the_same_every_time(
    exchange: Exchange, hotline: Hotline, phones: Phones, script: Scripts
) -> None:
    hotline.answers["voice"] = DIAL.format(SIP + OTHER_SIP + MOBILE)
    one = script(CALLER)
    orders = []
    for _ in range(2):
        hotline.got.clear()
        await play_inbound(exchange, one, phones)
        orders.append([(got.hook, got.query.get("agent"), got.form.get("CallStatus")) for got in hotline.got])
    assert orders[0] == orders[1]
    assert exchange.journal.repeated > 0
