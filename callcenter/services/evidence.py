"""Evidence as it is stored: the words, their side and times, and the call they were said on."""

from collections.abc import Iterable
from typing import Any

from callcenter.domain.tickets import Evidence


def evidence_rows(evidence: Iterable[Evidence], call_id: str | None) -> list[Any]:
    return [
        {
            "side": one.side.value,
            "words": one.words,
            "start_ms": one.start_ms,
            "end_ms": one.end_ms,
            "call_id": call_id,
        }
        for one in evidence
    ]
