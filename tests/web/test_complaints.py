"""Complaint frequencies and the quarterly review on the console, against counts made by hand."""

from datetime import timedelta

import pytest

from callcenter.db.engine import Database
from callcenter.reports.complaints import complaint_report
from tests.conftest import SetClock
from tests.web.conftest import SignIn
from tests.web.factory import Story, call_rows, save, ticket

# (category, building, days ago, how many)
TOLD = (
    ("noise", "15", 2, 6),
    ("noise", "15", 30, 1),
    ("cleaning", "3", 5, 2),
    ("cleaning", "3", 33, 2),
    ("parking", "8", 40, 14),
    ("parking", "8", 3, 1),
)


async def complained(database: Database, clock: SetClock) -> None:
    rows, number = [], 100
    for category, building, days, count in TOLD:
        for nth in range(count):
            number += 1
            at, call_id = clock.now() - timedelta(days=days, hours=nth), f"CA-c{number}"
            row = ticket(
                number,
                f"GD-9{number}",
                call_id,
                at,
                request_type="complaint",
                category=category,
                building=building,
                summary=f"{building}栋投诉",
                status="closed",
                satisfaction=1 + number % 5,
                satisfaction_at=at + timedelta(hours=1),
            )
            rows += [*call_rows(Story(call_id=call_id, at=at)), row]
    await save(database, *rows)


async def test_counts_and_what_has_changed(database: Database, clock: SetClock) -> None:
    await complained(database, clock)
    end = clock.now()
    found = await complaint_report(database, start=end - timedelta(weeks=4), end=end)
    kinds = {one.key: (one.change.now, one.change.before, one.direction) for one in found.kinds}
    assert kinds == {"noise": (6, 1, None), "cleaning": (2, 2, None), "parking": (1, 14, "fewer")}
    assert [one.key for one in found.kinds] == ["noise", "cleaning", "parking"]
    assert (found.total.now, found.total.before) == (9, 17)
    assert [block.total for block in found.blocks] == [0, 0, 0, 9]
    assert sum(block.total for block in found.blocks) == found.total.now
    (warning,) = found.warnings
    assert warning.key[0] == "noise"
    assert warning.key[1].building == "15"
    assert (warning.change.now, warning.change.before) == (6, 1)


async def test_what_was_never_recorded_is_not_compared(database: Database, clock: SetClock) -> None:
    await complained(database, clock)
    first = clock.now() - timedelta(days=41)
    young = await complaint_report(database, start=first, end=clock.now())
    assert young.before is None
    assert {one.direction for one in young.kinds} == {None}
    assert {one.q for one in young.kinds} == {1.0}
    longer = await complaint_report(database, start=clock.now() - timedelta(weeks=4), end=clock.now())
    assert longer.before is not None
    assert longer.before > clock.now() - timedelta(weeks=8), "the time before begins with the first ticket"


async def test_an_empty_hotline_has_no_trend(database: Database, clock: SetClock) -> None:
    found = await complaint_report(database, start=clock.now() - timedelta(weeks=1), end=clock.now())
    assert found.kinds == found.buildings == found.warnings == ()
    assert found.total.p == 1.0


async def test_the_page_and_its_rows_agree(sign_in: SignIn, database: Database, clock: SetClock) -> None:
    await complained(database, clock)
    client = await sign_in("hewen")
    page = await (await client.get("/complaints?weeks=4")).text()
    assert "早期预警" in page
    assert "明显减少" in page
    assert "building=15" in page
    exported = await (await client.get("/complaints/export.json?weeks=4")).json()
    counted = {row["category"]: row["count"] for row in exported["kinds"]}
    assert counted["noise"] == 6
    by_days = sum(row["count"] for row in exported["seven_days"] if row["category"] == "noise")
    assert by_days == counted["noise"]
    assert [(row["category"], row["count"]) for row in exported["warnings"]] == [("noise", 6)]
    assert exported["count"] == sum(counted.values())
    assert (await client.get("/complaints?of=all&weeks=x")).status == 200
    english = await (await client.get("/complaints?lang=en")).text()
    assert "clearly fewer" in english


async def test_the_quarterly_review_is_one_page_of_what_happened(
    sign_in: SignIn, database: Database, clock: SetClock
) -> None:
    await complained(database, clock)
    client = await sign_in("hewen")
    begun = await client.get("/quarters", allow_redirects=False)
    assert begun.headers["Location"] == "/quarters/2026-Q4"
    page = await (await client.get("/quarters/2026-Q4")).text()
    assert "做得好的" in page
    assert "做得不好的" in page
    assert "本季还没有过完" in page
    assert page.count("栋投诉") >= 4
    before = await (await client.get("/quarters/2026-Q3")).text()
    assert "没有投诉。" in before
    for wrong in ("2027-Q1", "2026-Q5", "x"):
        assert (await client.get(f"/quarters/{wrong}")).status == 404


@pytest.mark.parametrize("path", ["/complaints", "/complaints/export.csv", "/quarters/2026-Q4"])
async def test_analysis_is_for_supervisors(sign_in: SignIn, path: str) -> None:
    assert (await (await sign_in("lijia")).get(path)).status == 403
