"""What the names of old recordings tell."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from callcenter.domain.recording_names import read_recording_name

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("name", "began_at", "number"),
    [
        ("20240305-143022_13800000001", datetime(2024, 3, 5, 6, 30, 22, tzinfo=UTC), "+8613800000001"),
        ("2024-03-05_14-30-22", datetime(2024, 3, 5, 6, 30, 22, tzinfo=UTC), None),
        ("2024年03月05日14时30分 业主", datetime(2024, 3, 5, 6, 30, tzinfo=UTC), None),
        ("in-8613800000001-1709620222.17", datetime(2024, 3, 5, 6, 30, 22, tzinfo=UTC), "+8613800000001"),
        ("call 20240231 101010", None, None),
        ("录音 0001", None, None),
        ("138000000012345", None, None),
    ],
)
def test_names(name: str, began_at: datetime | None, number: str | None) -> None:
    told = read_recording_name(name, SHANGHAI)
    assert (told.began_at, told.from_number) == (began_at, number)
