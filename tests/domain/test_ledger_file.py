"""A ledger that was changed says so, and names the first broken line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.figures import Groups
from callcenter.domain.figures_table import figures_row
from callcenter.domain.ledger_file import FORMAT, BrokenLedger, Chain, canonical, cell_of_entry, verify

HEAD = {"ledger": FORMAT, "month": "2026-11", "in_time_ms": 15_000}


def call(number: int, speed_ms: int = 8000) -> dict[str, Any]:
    late = speed_ms >= 15_000
    return {
        "call": f"CA{number}",
        "disposition": "answered",
        "verdict": "late" if late else "within",
        "answer_speed_ms": [speed_ms, speed_ms],
        "talk_ms": [60_000, 60_000],
        "hold_ms": None,
        "wrap_up_ms": None,
        "transferred": None,
    }


def ledger(calls: int = 5) -> list[str]:
    chain, groups = Chain(), Groups()
    lines = [chain.line(HEAD)]
    for number in range(calls):
        entry = call(number, 8000 + 3000 * number)
        groups.add(cell_of_entry(entry, in_time_ms=15_000))
        lines.append(chain.line(entry))
    return [*lines, chain.line({"end": calls, "figures": figures_row(groups.figures())})]


def broken_at(lines: list[str]) -> int:
    with pytest.raises(BrokenLedger) as broken:
        verify(lines)
    return broken.value.line


def test_a_ledger_as_it_was_written() -> None:
    found = verify(line + "\n" for line in ledger())
    assert (found.month, found.calls) == ("2026-11", 5)
    assert found.last_hash == json.loads(ledger()[-1])["hash"]
    assert verify(ledger(0)).calls == 0


@given(st.integers(0, 6), st.integers(0, 10_000), st.characters(codec="utf-8", exclude_characters="\n\r"))
def test_any_character_changed_is_found_in_its_line(number: int, place: int, other: str) -> None:
    lines = ledger()
    at = place % len(lines[number])
    if lines[number][at] == other:
        return
    lines[number] = lines[number][:at] + other + lines[number][at + 1 :]
    assert broken_at(lines) == number + 1


@given(st.integers(0, 6))
def test_a_line_removed_repeated_or_moved_is_found(number: int) -> None:
    lines = ledger()
    assert broken_at(lines[:number] + lines[number + 1 :]) == (number + 1 if number < 6 else 7)
    assert broken_at([*lines[: number + 1], lines[number], *lines[number + 1 :]]) == number + 2
    if number < 6:
        moved = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        assert broken_at(moved) == number + 1


def test_spaces_and_line_ends_count_too() -> None:
    lines = ledger()
    lines[2] = lines[2].replace(":", ": ", 1)
    assert broken_at(lines) == 3
    assert broken_at([line + "\r\n" for line in ledger()]) == 1


def test_a_forged_chain_must_still_have_the_figures_of_its_calls() -> None:
    """Who writes the hashes anew after a change is caught by the figures, or by the last hash kept elsewhere."""
    contents = [{k: v for k, v in json.loads(line).items() if k != "hash"} for line in ledger()]
    contents[5]["verdict"] = "within"
    chain = Chain()
    forged = [chain.line(content) for content in contents]
    assert broken_at(forged) == 7
    contents[-1]["end"] = 4
    chain = Chain()
    assert broken_at([chain.line(content) for content in contents]) == 7


def test_what_is_no_ledger() -> None:
    chain = Chain()
    for lines in ([], ["{}"], ["nonsense"], ["[1]"], [chain.line({"ledger": "something else"})]):
        assert broken_at(lines) == 1
    assert broken_at([*ledger(), canonical({"one": "more"})]) == 8
    chain = Chain()
    assert broken_at([chain.line(HEAD), chain.line({"call": "CA1"})]) == 2
