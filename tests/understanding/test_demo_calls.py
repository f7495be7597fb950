"""What is said on the demonstration calls gives the tickets that the demonstration expects."""

import tomllib
from pathlib import Path

import pytest

from callcenter.domain.understanding import draft_to_json, understand_text
from tests.understanding.calls import CONTEXT

CALLS = Path(__file__).parents[2] / "callcenter" / "demo" / "calls"
EXPECTED = {
    folder.name: tomllib.loads((folder / "call.toml").read_text("utf-8")).get("expect", {}).get("ticket", {})
    for folder in sorted(CALLS.iterdir())
    if (folder / "call.toml").is_file()
}
RAISED_LATER = {ticket["joined_to"] for ticket in EXPECTED.values() if "joined_to" in ticket}
"""Calls whose ticket a second call makes more urgent than its own words."""


@pytest.mark.parametrize("name", [name for name, ticket in EXPECTED.items() if ticket])
def test_demo_call(name: str) -> None:
    ticket = EXPECTED[name]
    draft = understand_text((CALLS / name / "transcript.txt").read_text("utf-8"), context=CONTEXT)
    said = draft_to_json(draft)
    got = {
        "type": said["type"],
        "category": next(iter(said["categories"]), None),
        "urgency": said["urgency"],
        "phone": said["phone"],
        "contact": said["contact"],
        "place": draft.place.value.written() if draft.place else None,
        "must_listen": draft.must_listen,
    }
    skipped = {"urgency"} if name in RAISED_LATER else set()
    expected = {slot: value for slot, value in ticket.items() if slot in got and slot not in skipped}
    assert {slot: got[slot] for slot in expected} == expected
