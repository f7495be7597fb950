"""`callcenter understand` and `callcenter evaluate understanding` as one calls them."""

import io
import json
from pathlib import Path

import pytest

from callcenter.cli import run

KEYS = [
    *("type", "categories", "urgency", "responsibility", "place", "contact", "phone", "wanted", "promises", "written")
]
SET = Path(__file__).parent / "danger_6.jsonl"


class _Input:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _objects(
    data: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> list[dict[str, object]]:
    monkeypatch.setattr("sys.stdin", _Input(data))
    assert run(["understand", "--json", "--at", "2026-11-24T10:00", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_object_a_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    lines = "三栋五零一漏水，明天上午在家\n\n住户：漏水\\n客服：半小时内给您回电\n".encode() + b"\xff\xfe\x00\n"
    found = _objects(lines, monkeypatch, capsys)
    assert [list(one) for one in found] == [KEYS] * 4
    assert found[0]["place"] == dict.fromkeys(("estate", "phase", "lane", "unit", "floor")) | {
        "building": "3",
        "room": "501",
    }
    assert found[0]["wanted"] == {"from": "2026-11-25T08:00:00+08:00", "to": "2026-11-25T12:00:00+08:00"}
    assert found[0]["written"] == "3栋501漏水，明天上午在家"
    assert found[1]["wanted"] == {"from": None, "to": None}
    assert found[2]["promises"] == [
        {"kind": "call_back", "text": "半小时内给您回电", "due": "2026-11-24T10:30:00+08:00"}
    ]


def test_the_register_decides(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    register = tmp_path / "register.csv"
    register.write_text("lane,building\n198,4\n", "utf-8")
    found = _objects("1984号漏水\n1985号漏水\n".encode(), monkeypatch, capsys, "--register", str(register))
    places = [one["place"] for one in found]
    assert [(place["lane"], place["building"]) for place in places] == [("198", "4"), (None, None)]  # type: ignore[index]


def test_a_wrong_register_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    register.write_text("lane,building\n198,四号楼左\n", "utf-8")
    assert run(["understand", "漏水", "--register", str(register)]) == 1
    assert "line 2, column building" in capsys.readouterr().err


def test_a_text_or_a_file_is_shown_with_its_evidence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "住户：我是三栋五零一的王女士，水管漏水\n客服：半小时内给您回电"
    file = tmp_path / "call.txt"
    file.write_text(text, "utf-8")
    for argument in (text, str(file), "漏" * 5000):
        assert run(["understand", argument]) == 0
    shown = capsys.readouterr().out
    assert "3栋501" in shown
    assert "三栋五零一" in shown
    assert "call_back" in shown


def test_an_evaluation_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "understanding", str(SET)]) == 0
    shown = capsys.readouterr().out
    assert "80 rows" in shown
    assert "invented values: 0" in shown
    assert run(["evaluate", "understanding", str(SET), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["slots"]["urgency"]["recall"] >= 0.97


def test_a_set_that_cannot_be_read_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = tmp_path / "set.jsonl"
    wrong.write_text('{"text": "x"}', "utf-8")
    assert run(["evaluate", "understanding", str(wrong)]) == 1
    assert "line 1" in capsys.readouterr().err
    assert run(["evaluate", "understanding", str(tmp_path / "none.jsonl")]) == 1
