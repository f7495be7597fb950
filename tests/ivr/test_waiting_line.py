"""Waiting in line, whose turn it is, who is rung before whom; the same for every provider."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from callcenter.config import AgentSettings, CallFlowSettings, QueueSettings, RingStrategy
from callcenter.domain.agent_states import Available, Serves, ring_order
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.callers import CallersOnTheLine, OnTheLine
from callcenter.ivr.provider import (
    DialEnded,
    HangUp,
    Incoming,
    ResidentPressed,
    RingAgents,
    Say,
    TakeVoiceMail,
    Wait,
    WaitEnded,
)
from callcenter.ivr.providers.twiml import TwimlWriter
from callcenter.ivr.waiting_line import FORGOTTEN_SECONDS, WaitingLine
from callcenter.ports import KnownCaller

AGENTS = tuple(AgentSettings(id=one, name=one, phone=f"sip:{one}@pbx") for one in ("hewen", "lijia", "zhao"))
ORDER = tuple(agent.id for agent in AGENTS)
SETTINGS = CallFlowSettings(queue=QueueSettings(enabled=True, say_every_seconds=20, longest_seconds=60))


class Desk:
    """Who is ready and who talks, and a clock in seconds."""

    def __init__(self) -> None:
        self.ready, self.talk, self.now = set(ORDER), set(ORDER), 0.0
        self.line = WaitingLine(clock=lambda: self.now)
        self.flow = CallFlow(SETTINGS, AGENTS, available=self.available, line=self.line)

    def available(self) -> Available:
        return Available(free=frozenset(self.ready - self.talk), ready=frozenset(self.ready))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def call(name: str, *, owner: str | None = None) -> OnTheLine:
    return OnTheLine(call_id=name, order=ORDER, owner=owner)


def waits(desk: Desk, name: str, question: object = None) -> Wait:
    step = desk.flow.next_steps(question or Incoming(), call(name))[-1]  # type: ignore[arg-type]
    assert isinstance(step, Wait), step
    return step


def test_each_hears_how_many_are_before_them_and_goes_up_as_they_leave(desk: Desk) -> None:
    assert [waits(desk, name).ahead for name in ("a", "b", "c")] == [0, 1, 2]
    assert "2" in waits(desk, "c", WaitEnded(digits="", waits=0)).prompt
    desk.flow.gone("a")
    assert waits(desk, "c", WaitEnded(digits="", waits=1)).ahead == 1


def test_whoever_came_first_is_served_first(desk: Desk) -> None:
    waits(desk, "a")
    waits(desk, "b")
    desk.talk.discard("lijia")
    assert not desk.flow.turn_has_come(call("b"))
    assert desk.flow.turn_has_come(call("a"))
    assert isinstance(waits(desk, "new"), Wait), "who phones now does not overtake"
    ring = desk.flow.next_steps(WaitEnded(digits="", waits=0), call("a"))[0]
    assert isinstance(ring, RingAgents)
    assert [target.agent for target in ring.targets] == ["lijia"]
    desk.talk.discard("zhao")
    assert desk.flow.turn_has_come(call("b")), "for whom an agent rings waits no more"


def test_nobody_answered_after_waiting_waits_on_then_voice_mail(desk: Desk) -> None:
    waits(desk, "a")
    desk.talk.discard("zhao")
    ring = desk.flow.next_steps(WaitEnded(digits="", waits=0), call("a"))[0]
    assert isinstance(ring, RingAgents)
    again = desk.flow.next_steps(DialEnded(attempt=ring.attempt, answered=False), call("a"))[0]
    assert isinstance(again, Wait)
    desk.talk.add("zhao")
    assert isinstance(desk.flow.next_steps(WaitEnded(digits="", waits=2), call("a"))[0], TakeVoiceMail)


def test_a_key_keeps_the_place_and_the_call_back_takes_it(desk: Desk) -> None:
    waits(desk, "a")
    assert desk.flow.next_steps(WaitEnded(digits="1", waits=0), call("a"))[-1] == HangUp()
    desk.flow.gone("a")
    desk.talk.discard("hewen")
    assert isinstance(waits(desk, "b"), Wait), "the kept place is before who phones later"
    pressed = ResidentPressed(digits="1", purpose="reminder:1", kind="queue_call_back")
    said, ring = desk.flow.next_steps(pressed, call("back"))
    assert isinstance(said, Say)
    assert isinstance(ring, RingAgents)
    assert desk.flow.turn_has_come(call("b")), "the place is used up"
    other = desk.flow.next_steps(
        ResidentPressed(digits="2", purpose="reminder:1", kind="queue_call_back"), call("back")
    )
    assert isinstance(other[-1], HangUp)


def test_who_is_not_heard_of_any_more_waits_no_longer(desk: Desk) -> None:
    waits(desk, "a")
    desk.now = 20 + FORGOTTEN_SECONDS + 1
    assert waits(desk, "b").ahead == 0


def test_without_anybody_ready_or_without_a_queue_nobody_waits(desk: Desk) -> None:
    desk.ready = set()
    assert isinstance(desk.flow.next_steps(Incoming(), call("a"))[-1], TakeVoiceMail)
    plain = CallFlow(CallFlowSettings(), AGENTS, available=Desk().available)
    assert isinstance(plain.next_steps(Incoming(), call("a"))[-1], RingAgents), "as ever: a phone in use may ring"


def test_after_a_transfer_that_nobody_answered_the_agents_are_rung_anew() -> None:
    flow = CallFlow(CallFlowSettings(), AGENTS)
    ring = flow.next_steps(DialEnded(attempt=2, answered=False, passed_on=True), call("a"))[0]
    assert isinstance(ring, RingAgents)
    assert ([target.agent for target in ring.targets], ring.attempt) == (["hewen"], 1000)
    following = flow.next_steps(DialEnded(attempt=ring.attempt, answered=False), call("a"))[0]
    assert isinstance(following, RingAgents)
    assert [target.agent for target in following.targets] == ["lijia"]


@pytest.mark.parametrize("strategy", list(RingStrategy))
def test_the_owner_is_rung_alone_where_they_are_free(strategy: RingStrategy) -> None:
    desk = Desk()
    desk.talk = set()
    flow = CallFlow(CallFlowSettings(strategy=strategy), AGENTS, available=desk.available)
    owned = OnTheLine(call_id="a", order=("zhao", "hewen", "lijia"), owner="zhao")
    ring = flow.next_steps(Incoming(), owned)[-1]
    assert isinstance(ring, RingAgents)
    assert [target.agent for target in ring.targets] == ["zhao"]
    desk.talk = {"zhao"}
    ring = flow.next_steps(Incoming(), owned)[-1]
    assert isinstance(ring, RingAgents)
    assert "zhao" not in [target.agent for target in ring.targets]


def test_owner_then_estate_then_all_then_others_and_longest_idle_among_equals() -> None:
    now = datetime(2026, 11, 24, 2, tzinfo=UTC)
    agents = [
        Serves(agent="a", estates=frozenset({"西苑"})),
        Serves(agent="b"),
        Serves(agent="c", estates=frozenset({"翠湖花园"})),
        Serves(agent="d", estates=frozenset({"翠湖花园"})),
        Serves(agent="e"),
    ]
    talked = {"c": now, "d": now - timedelta(minutes=5), "b": now}
    assert ring_order(agents) == tuple("abcde")
    assert ring_order(agents, estate="翠湖花园") == tuple("cdbea")
    assert ring_order(agents, estate="翠湖花园", talked_until=talked) == tuple("dceba")
    assert ring_order(agents, owner="a", estate="翠湖花园", talked_until=talked) == tuple("adceb")


def test_the_order_is_made_once_a_call() -> None:
    talked: dict[str, datetime] = {}

    class Known:
        def of(self, from_number: str | None) -> KnownCaller | None:
            return KnownCaller(owner="zhao") if from_number == "+8613812346207" else None

    callers = CallersOnTheLine(AGENTS, known=Known(), talked_until=lambda: talked)
    first = callers.of("a", "+8613812346207")
    assert (first.order, first.owner) == (("zhao", "hewen", "lijia"), "zhao")
    talked["zhao"] = datetime(2026, 11, 24, tzinfo=UTC)
    assert callers.of("a", None) is first
    assert callers.of("b", None).order == ("hewen", "lijia", "zhao")


def test_twiml_of_waiting_is_one_question_that_comes_back() -> None:
    writer = TwimlWriter(public_url="https://h.example", language="zh-CN", voice="")
    root = ElementTree.fromstring(writer.response((Wait(prompt="还有2位", seconds=20, waits=3, ahead=2),), sid="CA1"))
    gather = root[0]
    assert (gather.tag, gather.get("numDigits"), gather.get("timeout")) == ("Gather", "1", "20")
    assert gather.get("action") == "https://h.example/ivr/twilio/queue?waits=3"
    assert gather.get("actionOnEmptyResult") == "true"
    assert gather[0].text == "还有2位"
