"""A deadline's light on the console is that of the escalation: amber from the moment on at which its owner is told."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from callcenter.config import EscalationSettings, Settings
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketDeadlineRow
from callcenter.domain.calendar import WorkCalendar
from callcenter.domain.deadlines import DeadlineKind
from callcenter.domain.escalation import Limit, tellings_of_limit
from callcenter.services.escalation_rules import early_warning, escalation_rules
from callcenter.web.deadlines import standing
from callcenter.web.language import load_catalogs
from callcenter.web.rendering import Reader
from tests.conftest import SetClock
from tests.web.conftest import SignIn
from tests.web.day import NOISE

ZONE = ZoneInfo("Asia/Shanghai")
BEGAN = datetime(2026, 11, 24, 9, tzinfo=ZONE)
HOUR = timedelta(hours=1)


def limit(length: timedelta, kind: str = "settled", **columns: Any) -> TicketDeadlineRow:
    values: dict[str, Any] = {"basis": "complaint", "counts_from": BEGAN, "due_at": BEGAN + length}
    return TicketDeadlineRow(kind=kind, **values | columns)


def seen(row: TicketDeadlineRow, now: datetime, settings: EscalationSettings) -> tuple[str, str]:
    reader = Reader(catalog=load_catalogs()["zh"], zone=ZONE, now=now, warning=early_warning(settings))
    found = standing(row, reader)
    return found.kind, found.words


@pytest.mark.parametrize("longest", [1.0, 4.0])
@pytest.mark.parametrize("length", [timedelta(minutes=20), HOUR, 4 * HOUR, 9 * HOUR, 76 * HOUR])
def test_console_and_escalation_agree(length: timedelta, longest: float) -> None:
    settings = EscalationSettings(longest_ahead_hours=longest)
    rules = escalation_rules(settings, WorkCalendar(zone=ZONE))
    row = limit(length)
    told = tellings_of_limit(Limit(due_at=row.due_at, counts_from=row.counts_from), rules=rules)[0].at
    assert seen(row, told - timedelta(seconds=1), settings)[0] == "run"
    assert seen(row, told, settings)[0] == "late"
    assert seen(row, row.due_at, settings) == ("bad", "超期 不到 1 分")


def test_an_emergency_is_never_green() -> None:
    row = limit(timedelta(minutes=3), DeadlineKind.ON_SITE.value)
    assert seen(row, BEGAN, EscalationSettings()) == ("late", "还剩 3 分")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"paused_at": BEGAN + HOUR}, ("und", "暂停计时，自 10:00")),
        ({"met_at": BEGAN + HOUR}, ("ok", "10:00 兑现")),
        ({"met_at": BEGAN + 5 * HOUR}, ("late", "14:00 兑现，晚了 1 小时")),
        ({"cancelled_at": BEGAN + HOUR}, ("none", "已取消")),
    ],
)
def test_paused_kept_and_cancelled(columns: dict[str, Any], expected: tuple[str, str]) -> None:
    assert seen(limit(4 * HOUR, **columns), BEGAN + 6 * HOUR, EscalationSettings()) == expected


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An operator who is warned an hour ahead at most."""
    return settings.model_copy(update={"escalation": EscalationSettings(longest_ahead_hours=1)})


async def test_pages_go_by_the_settings(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    now = clock.now()
    rows = (("二十五分", timedelta(minutes=25), HOUR), ("两小时", 2 * HOUR, 76 * HOUR), ("十分", HOUR / 6, HOUR))
    async with database.write() as session:
        for text, left, length in rows:
            due = now + left
            row = limit(length, "promise", ticket_id=2, basis="other", text=text, due_at=due, counts_from=due - length)
            session.add(row)
    page = await (await (await sign_in("zhaoqiang")).get(f"/tickets/{NOISE}")).text()
    shapes = {name: re.search(rf'{name}</b>.*?class="st (\w+)"', page, re.DOTALL) for name, _, _ in rows}
    assert {name: found and found[1] for name, found in shapes.items()} == {
        "二十五分": "run",
        "两小时": "run",
        "十分": "late",
    }
