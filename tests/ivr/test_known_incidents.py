"""Callers who live where an incident is hear it right behind the notice; nobody waits for a database that is slow."""

import asyncio

import pytest

from callcenter.config import AgentSettings, CallFlowSettings
from callcenter.domain.incidents import Reach, Thing
from callcenter.domain.spoken_incident import spoken_incidents
from callcenter.ivr.call_flow import CallFlow
from callcenter.ivr.progress import ProgressOnTheLine, with_what_is_known
from callcenter.ivr.provider import Incoming, RingAgents, Say
from callcenter.ports import ProgressUnknown

FLOW = CallFlow(CallFlowSettings(), (AgentSettings(id="hewen", name="何雯", phone="sip:hewen@example.com"),))


class NothingOpen:
    async def heard_by(self, from_number: str | None) -> str | None:
        return None

    async def heard_about(self, ticket_number: str) -> str | None:
        return None


class Known:
    def __init__(self, told: str | None, *, seconds: float = 0.0, problem: Exception | None = None) -> None:
        self.told, self.seconds, self.problem = told, seconds, problem

    async def heard_on_arrival(self, from_number: str | None) -> str | None:
        await asyncio.sleep(self.seconds)
        if self.problem is not None:
            raise self.problem
        return self.told


async def heard(known: Known) -> list[str]:
    line = ProgressOnTheLine(NothingOpen(), incidents=known, seconds=0.05)
    question = await line.filled_in(Incoming(from_number="+8613800000001"))
    steps = with_what_is_known(question, FLOW.next_steps(question))
    assert isinstance(steps[-1], RingAgents), "the agents are rung in any case"
    return [step.text for step in steps if isinstance(step, Say)]


async def test_it_is_told_behind_the_notice() -> None:
    said = await heard(Known("电梯正在修理。"))
    assert said == [CallFlowSettings().notice, "电梯正在修理。"]


@pytest.mark.parametrize(
    "known", [Known(None), Known("电梯", seconds=5.0), Known("电梯", problem=ProgressUnknown("away"))]
)
async def test_else_the_call_goes_on_as_ever(known: Known) -> None:
    assert await heard(known) == [CallFlowSettings().notice]


def test_each_matter_is_named_once_and_nobody_by_name() -> None:
    lift, cut = Thing(key="lift", category="lift"), Thing(key="water_cut", category="plumbing", reach=Reach.ESTATE)
    assert spoken_incidents([]) is None
    said = spoken_incidents([lift, cut, lift])
    assert said is not None
    assert said.startswith("您所在的楼栋有多户反映电梯问题，您所在的小区有多户反映停水问题，我们已经知道，正在处理")
