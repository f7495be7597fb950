"""What a recording's file name tells of its call: when it began, and the resident's number; never more than it says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from callcenter.domain.phone_numbers import dialable

_TIME = re.compile(
    r"(?<!\d)(20\d\d)[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])日?[-_. T]*"
    r"([01]\d|2[0-3])[-_.:时]?([0-5]\d)(?:[-_.:分]?([0-5]\d))?秒?(?!\d)"
)
_EPOCH = re.compile(r"(?<!\d)(1[0-9]{9})(?:\.\d+)?(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86)?(1[3-9]\d{9})(?!\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRecording:
    """`began_at` is None where the name has no time, `from_number` where it has no mobile number."""

    began_at: datetime | None
    from_number: str | None


def read_recording_name(stem: str, zone: ZoneInfo) -> NamedRecording:
    """Times without a zone are local; Asterisk's unique ids (seconds since 1970) are times as well."""
    mobile = _MOBILE.search(stem)
    rest = stem.replace(mobile[0], " ") if mobile else stem
    return NamedRecording(began_at=_time(rest, zone), from_number=dialable(mobile[1]) if mobile else None)


def _time(stem: str, zone: ZoneInfo) -> datetime | None:
    found = _TIME.search(stem)
    if found is not None:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
        try:
            return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
        except ValueError:  # the 31st of February
            return None
    epoch = _EPOCH.search(stem)
    return datetime.fromtimestamp(int(epoch[1]), UTC) if epoch else None
