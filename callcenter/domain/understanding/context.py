"""What is known about a call before a word of it is read."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.domain.understanding.register import EstateRegister


@dataclass(frozen=True, kw_only=True, slots=True)
class CallContext:
    """`heard_at` is the start of the call in the estate's own time zone; `area_code` that of its landlines (021)."""

    heard_at: datetime
    caller_number: str | None = None
    area_code: str | None = None
    register: EstateRegister | None = None

    def __post_init__(self) -> None:
        if self.heard_at.tzinfo is None:
            raise ValueError("heard_at must carry its time zone")
