"""Fields as text and back: what an agent types is what a ticket shows."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.heard_fields import UnreadableField, read_place, read_wanted, written_wanted
from callcenter.domain.tickets import Place, Wanted

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "place",
    [
        Place(building="3", unit="2", room="501"),
        Place(lane="198", building="4", room="1103"),
        Place(estate="翠湖花园", phase="二期", building="12", unit="1", room="1804"),
        Place(building="6", unit="1"),
        Place(building="B", room="808"),
        Place(building="9", floor="12"),
        Place(room="501"),
        Place(estate="翠湖花园"),
    ],
)
def test_a_place_reads_back_as_it_is_written(place: Place) -> None:
    assert read_place(place.written()) == place


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("18号楼 2单元 701室", Place(building="18", unit="2", room="701")),
        ("A座1202", Place(building="A", room="1202")),
        ("3幢501房", Place(building="3", room="501")),
    ],
)
def test_other_ways_to_write_a_place(typed: str, place: Place) -> None:
    assert read_place(typed) == place


@pytest.mark.parametrize("typed", ["", "   ", "3栋501栋2"])
def test_what_is_no_place(typed: str) -> None:
    with pytest.raises(UnreadableField):
        read_place(typed)


def test_a_wanted_time_reads_back_as_it_is_written() -> None:
    start, end = (datetime(2026, 11, 24, hour, tzinfo=SHANGHAI) for hour in (15, 17))
    for wanted in (Wanted(start=start, end=end), Wanted(start=start, end=None), Wanted(start=None, end=end)):
        assert read_wanted(written_wanted(wanted, SHANGHAI), SHANGHAI) == wanted
    with pytest.raises(UnreadableField, match="before"):
        read_wanted("2026-11-24 17:00 / 2026-11-24 15:00", SHANGHAI)
