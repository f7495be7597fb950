"""`callcenter doctor` says who is missing for an emergency, and which year's working days are guessed."""

from pathlib import Path

import pytest

from callcenter.commands.doctor import doctor
from callcenter.config import SettingsError, load_settings

BASE = '[server]\ndata_dir = "{folder}/var"\n[twilio]\napi_url = "http://127.0.0.1:9"\n'


async def said(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    file = folder / "callcenter.toml"
    file.write_text(BASE.format(folder=folder) + text, encoding="utf-8")
    await doctor(load_settings(file))
    return capsys.readouterr().out.splitlines()


def line(lines: list[str], subject: str) -> str:
    (found,) = [one for one in lines if one[5:].startswith(f"{subject}:")]
    return found


async def test_nobody_is_on_call_and_nobody_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = await said(tmp_path, "", capsys)
    assert line(lines, "on_call").startswith("warn on_call: nobody -> add an [[on_call]] table")
    assert line(lines, "notify").startswith("warn notify: nobody -> add a [[notify]] table")


async def test_levels_without_anybody_are_named_and_addresses_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
[[on_call]]
name = "周工"
phone = "13900005581"
[[notify]]
name = "客服主管"
level = 2
urls = ["wecombot://a-secret-key"]
"""
    lines = await said(tmp_path, text, capsys)
    assert line(lines, "on_call") == "ok   on_call: 周工, phoned in this order by the rota"
    assert "nobody for level 1 (agent), 3 (deputy general manager)" in line(lines, "notify")
    assert "a-secret-key" not in "".join(lines)


async def test_a_year_that_the_library_does_not_know_is_named_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(day: object) -> bool:
        raise NotImplementedError

    monkeypatch.setattr("chinese_calendar.is_workday", unknown)
    found = line(await said(tmp_path, "", capsys), "calendar")
    assert found.startswith("warn calendar: working days of ")
    assert "calendar.holidays" in found
    assert "calendar.working_days" in found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[on_call]]\nname = "周工"\nphone = "110"\n', "on_call.0.phone = '110': give a number that can be dialled"),
        ('[[notify]]\nname = "a"\nlevel = 4\n', "notify.0.level = 4"),
        ('[[notify]]\nname = "a"\nlevel = 2\n[[notify]]\nname = "a"\nlevel = 3\n', "the name 'a' is used twice"),
        ("[calendar]\noffice_hours = []\n", "calendar.office_hours"),
        ('[[notify]]\nname = "a"\nlevel = 1\nurls = [7]\n', "notify.0.urls.0"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        load_settings(file)
    assert says in str(error.value)
