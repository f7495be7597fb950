"""What `callcenter doctor` finds."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """`remedy` is None where all is well; `blocking` ones make the exit code 1."""

    subject: str
    state: str
    remedy: str | None = None
    blocking: bool = True
