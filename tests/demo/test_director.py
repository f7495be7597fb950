"""The director lets the time pass only as fast as the product can follow."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from callcenter.demo import director as director_module
from callcenter.demo.call_script import CallScript
from callcenter.demo.director import Director
from callcenter.demo.stage import FarEndJournal, Played
from callcenter.reports.call_results import CallResult
from tests.demo.test_expectations import AT, CALL_BACK, RESULT, TOML, TRY

Scripts = Callable[..., CallScript]
EMPTY = FarEndJournal(problems=(), placed=(), requests=0, repeated=0, reordered=0, lost=0)


@dataclass
class FakeStage:
    """Time that only the director moves."""

    time: datetime = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    stops: list[datetime] = field(default_factory=list)
    plays: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    async def advance_to(self, at: datetime) -> None:
        self.time = max(self.time, at)
        self.stops.append(at)

    async def play(self, name: str) -> Played:
        self.plays.append(name)
        self.time = AT + timedelta(minutes=1)
        return Played(name=name, call_id=RESULT.id, status="completed", recordings=1, ended_at=self.time)

    async def journal(self) -> FarEndJournal:
        return EMPTY


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(director_module, "STEP_SECONDS", 0.0)
    monkeypatch.setattr(director_module, "POLL_SECONDS", 0.0)


async def test_it_waits_for_the_ticket_before_it_shows_the_call(script: Scripts) -> None:
    answers = [[], [replace(RESULT, recordings=("running",), ticket=None)], [RESULT]]
    shown: list[CallResult | None] = []

    async def results() -> list[CallResult]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    one = script(TOML)
    stage = FakeStage()
    performance = await Director(stage, [one], results=results, show=lambda _, found: shown.append(found)).perform()  # type: ignore[arg-type]
    assert shown == [RESULT]
    assert stage.plays == ["01-call"]
    assert performance.complaints == ()


async def test_it_stops_where_a_call_back_falls_due(script: Scripts) -> None:
    due = AT + timedelta(minutes=20, seconds=30)
    waiting = replace(CALL_BACK, state="waiting", due_at=due, tries=())
    stage = FakeStage()

    async def results() -> list[CallResult]:
        made = replace(CALL_BACK, tries=(TRY,))
        return [replace(RESULT, call_backs=(made if stage.time > due else waiting,))]

    await Director(stage, [script(TOML)], results=results, show=lambda *_: None).perform()  # type: ignore[arg-type]
    assert stage.stops[-1] == due + timedelta(seconds=1)


async def test_it_gives_up_on_a_product_that_does_not_finish(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(director_module, "KEEP_UP_SECONDS", 0.05)

    async def results() -> list[CallResult]:
        return [replace(RESULT, recordings=("running",))]

    performance = await Director(FakeStage(), [script(TOML)], results=results, show=lambda *_: None).perform()  # type: ignore[arg-type]
    assert "had not finished with it" in performance.complaints[0]
