"""The demonstration by telephone, as far as it is decided before a phone rings."""

import tomllib
from pathlib import Path

import pytest

from callcenter.config import load_settings
from callcenter.demo.call_script import BUILT_IN_CALLS, CallScript, read_calls
from callcenter.demo.environment import NotReady, agent_addresses, new_environment
from callcenter.demo.telephony import run
from callcenter.demo.telephony.exchange import PASSWORD, Exchange, ExchangeFailed
from callcenter.demo.telephony.lines import Lines, exchange_of, write_telephone_settings
from callcenter.demo.telephony.rehearsal import CALLS, Heard, called_back, number_called_back, waiting_seconds

HEARD = Heard(notice_seconds=6.0, voice_mail_seconds=5.0)


@pytest.fixture(scope="module")
def scripts() -> dict[str, CallScript]:
    found = read_calls(BUILT_IN_CALLS, agents=frozenset(agent_addresses().values()))
    return {script.name: script for script in found}


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("01-kitchen-leak", 12.2), ("11-refused-first", 14.4), ("13-power-cut", 18.3), ("07-voice-mail", 71.0)],
)
def test_the_resident_speaks_when_somebody_listens(scripts: dict[str, CallScript], name: str, seconds: float) -> None:
    assert waiting_seconds(scripts[name].table.agents, HEARD) == pytest.approx(seconds)


def test_who_is_called_back_at_which_number(scripts: dict[str, CallScript]) -> None:
    six = [scripts[name] for name in CALLS]
    assert {script.name: number_called_back(script) for script in called_back(six)} == {
        "09-gave-up-ringing": "+8613512347752",
        "07-voice-mail": "+8613580662937",
    }


def test_what_is_missing_is_named_with_its_remedy(
    scripts: dict[str, CallScript], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "asterisk_command", lambda: None)
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    with pytest.raises(NotReady, match=r"(?s)Asterisk and SIPp not installed.*sip-tester.*get-asterisk\.sh"):
        run.for_telephones(tuple(scripts.values()), chosen=True)


def test_six_calls_are_played_or_those_of_a_folder(
    scripts: dict[str, CallScript], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "asterisk_command", lambda: ["asterisk"])
    monkeypatch.setattr(run.shutil, "which", lambda name: name)
    everything = tuple(scripts.values())
    assert tuple(script.name for script in run.for_telephones(everything, chosen=True)) == CALLS
    assert run.for_telephones(everything, chosen=False) == everything


def test_the_settings_are_an_operators_own(tmp_path: Path) -> None:
    environment = new_environment(tmp_path / "data", 0)
    lines = Lines(run=7, residents=("+8613580662937",))
    exchange = exchange_of(environment, lines)
    write_telephone_settings(environment, exchange, password_file=tmp_path / "password")
    settings = load_settings(environment.settings_file)
    assert settings.asterisk[0].secret() == PASSWORD
    assert settings.follow_up.missed_call_minutes == 1
    assert [agent.id for agent in settings.agents] == ["hewen", "chenmin", "lijia"]
    phones = (environment.data_dir / "exchange" / "etc" / "pjsip.conf").read_text(encoding="utf-8")
    for number in ("+8613900004471", "+8613900005581", "+8613580662937"):
        assert f"\n[{number}]\ntype = endpoint\n" in phones
    assert tomllib.loads(environment.settings_file.read_text(encoding="utf-8"))["speech"] == {"live": False}


async def test_an_exchange_says_why_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = Exchange(tmp_path / "exchange", "main", pjsip="")
    monkeypatch.setattr("callcenter.demo.telephony.exchange.asterisk_command", lambda: None)
    with pytest.raises(ExchangeFailed, match="Asterisk is not installed"):
        await exchange.start()
    monkeypatch.setattr("callcenter.demo.telephony.exchange.asterisk_command", lambda: ["false"])
    with pytest.raises(ExchangeFailed, match=r"Asterisk has ended \(1\)"):
        await exchange.start()
