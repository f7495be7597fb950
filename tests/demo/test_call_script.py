"""A call's folder is read strictly: each mistake is reported with file, key and what is expected."""

from collections.abc import Callable
from pathlib import Path

import pytest

from callcenter.demo.call_script import BUILT_IN_CALLS, CallScript, read_calls
from callcenter.demo.call_toml import ScriptError

AGENTS = frozenset({"hewen", "chenmin", "lijia"})
CALLER = 'title = "x"\n[caller]\nnumber = "+8613812346207"\ndials_at = "10:02:00"\n'
ANSWERS = '[[agents]]\nid = "hewen"\ndoes = "answers"\nring_seconds = 3.0\n'


def test_the_calls_in_the_repository_can_all_be_read() -> None:
    scripts = read_calls(BUILT_IN_CALLS, agents=AGENTS)
    assert len(scripts) >= 12
    assert [script.dials_at for script in scripts] == sorted(script.dials_at for script in scripts)


def test_an_agent_who_is_not_listed_lets_it_ring(script: Callable[..., CallScript]) -> None:
    assert script(CALLER + ANSWERS).agent_table("chenmin").does == "rings_out"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (CALLER.replace('title = "x"\n', ""), "title: missing"),
        (CALLER.replace("+86138", "138"), "caller.number = '13812346207'"),
        (CALLER.replace("10:02:00", "25:00"), "caller.dials_at = '25:00'"),
        (CALLER.replace("10:02:00", "09:00:00"), "the day begins at 10:00:00"),
        (CALLER + 'hangs_up = "while_ringing"\n', "gives_up_after_seconds"),
        (CALLER + "hangs_up_at = 3\n", "caller.hangs_up_at: no such key"),
        (CALLER + ANSWERS.replace("hewen", "nobody"), "agents.0.id = 'nobody'"),
        (CALLER + ANSWERS + ANSWERS, "the id 'hewen' stands there twice"),
        (CALLER + ANSWERS.replace("ring_seconds = 3.0\n", ""), "ring_seconds is given where"),
        (CALLER + ANSWERS.replace("answers", "sleeps"), "agents.0.does = 'sleeps'"),
        (CALLER + '[expect]\ndisposition = "lost"\n', "expect.disposition = 'lost'"),
        (CALLER + "[expect]\nticket = false\n", "expect.ticket = False: expected true or a table"),
        ("title = \n", "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(script: Callable[..., CallScript], toml: str, says: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(toml)
    assert "01-call/call.toml: " in str(caught.value)
    assert says in str(caught.value)


def test_a_call_that_is_answered_needs_both_sides(script: Callable[..., CallScript]) -> None:
    with pytest.raises(ScriptError, match=r"agent\.wav: not found; agent 'hewen' answers"):
        script(CALLER + ANSWERS, sides=("resident",))


def test_the_two_sides_are_equally_long(script: Callable[..., CallScript], tmp_path: Path) -> None:
    script(CALLER + ANSWERS, seconds=4)
    with pytest.raises(ScriptError, match=r"resident\.wav lasts 3\.000 s and agent\.wav 4\.000 s"):
        script(CALLER + ANSWERS, seconds=3, sides=("resident",))


def test_a_sound_of_another_kind_is_named(script: Callable[..., CallScript], tmp_path: Path) -> None:
    script(CALLER + ANSWERS)
    wav = tmp_path / "calls" / "01-call" / "agent.wav"
    wav.write_bytes(b"ID3 this is no WAV")
    with pytest.raises(ScriptError, match=r"agent\.wav: not a WAV file .*; expected 8 kHz, mono, 16-bit PCM WAV"):
        script(CALLER + ANSWERS, seconds=None)


def test_a_ticket_can_only_be_joined_to_an_earlier_call(script: Callable[..., CallScript], tmp_path: Path) -> None:
    script(CALLER + '[expect.ticket]\njoined_to = "02-later"\n')
    with pytest.raises(ScriptError, match=r"expect\.ticket\.joined_to = '02-later'"):
        read_calls(tmp_path / "calls", agents=AGENTS)


def test_a_folder_without_calls_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="no calls here"):
        read_calls(tmp_path, agents=AGENTS)
    with pytest.raises(ScriptError, match="no such folder"):
        read_calls(tmp_path / "nowhere", agents=AGENTS)
