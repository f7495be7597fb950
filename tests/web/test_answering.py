"""The supervisor's page and the ring ledger of one call: figures that can be followed down to the events."""

import re

import pytest

from callcenter.config import Settings
from callcenter.db.engine import Database
from callcenter.domain.rings import Disposition
from callcenter.reports.answering import answering, day_of
from tests.conftest import SetClock
from tests.web.conftest import SignIn


async def test_the_figures_are_those_of_the_calls(
    database: Database, day: None, clock: SetClock, settings: Settings
) -> None:
    start, end = day_of(clock.now(), settings.zone)
    found = await answering(database, start=start, end=end, zone=settings.zone)
    share = found.share
    assert (share.within, share.late, share.missed, share.undecided_answered) == (37, 2, 2, 1)
    assert (found.offered, found.connected) == (42, 40)
    assert found.by_disposition[Disposition.VOICE_MAIL] == 1
    assert sum(hour.total for hour in found.hours) == share.counted
    assert found.hours[9].late == 2
    assert [one.call.id for one in found.noted] == ["CA-leak", "CA-late", "CA-open", "CA-left", "CA-silent"]
    assert found.speed is not None
    assert found.speed.longest_call.id == "CA-late"
    assert found.speed.longest_ms == 27_200, "from the moment an agent was called, ringing included"
    agents = {one.agent: one for one in found.agents}
    assert (agents["sun"].refused, agents["zhao"].rang_out, agents["chen"].late) == (1, 1, 1)
    assert agents["li"].share == pytest.approx((10 / 11, 1.0))


async def test_a_share_with_undecided_calls_is_a_band(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/answering")).text()
    assert "88.1<small>–</small>90.5<small>%</small>" in page
    assert "未达标" in page
    assert "孙磊拒听 → 李佳接" in page
    assert "李佳接，只有整秒时钟" in page
    assert "15.0±1.0" in page
    assert "第 3 或 4 声" in page


async def test_every_noted_call_leads_to_its_events(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    page = await (await client.get("/answering")).text()
    links = re.findall(r'href="(/calls/[^"]+)"', page)
    assert len(links) >= 5
    for link in set(links):
        assert '<h2 id="e1">事件' in await (await client.get(link)).text()


async def test_another_day_has_its_own_figures(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    empty = await (await client.get("/answering?day=2026-11-20")).text()
    assert "这一天还没有来电" in empty
    assert (await client.get("/answering?day=2026-13-99")).status == 200


async def test_the_ledger_is_drawn_to_scale(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/calls/CA-leak")).text()
    drawing = page.split('<svg class="ledger"')[1].split("</svg>")[0]
    heard = [float(x) for x in re.findall(r'<rect class="(?:burst|over)" x="([\d.]+)" y="78"', drawing)]
    ticks = [float(x) for x in re.findall(r'<path class="grid" d="M([\d.]+) ', drawing)]
    five_seconds = ticks[1] - ticks[0]
    assert len(heard) == 4
    assert heard[1] - heard[0] == pytest.approx(five_seconds, abs=0.5)
    assert drawing.count('class="over"') == 1, "the fourth ring is over the limit"
    assert "第 4 声接听，超时 2.0 秒" in page
    assert "拒听 5.6 秒" in page
    assert "孙磊 话机挂断（忙） 486" in page
    assert "09:42:07.600" in page


async def test_an_event_with_a_clock_of_whole_seconds_shows_its_doubt(sign_in: SignIn) -> None:
    page = await (await (await sign_in("hewen")).get("/calls/CA-open")).text()
    assert "±0.5" in page
    assert 'class="unc"' in page
    assert "待定" in page
