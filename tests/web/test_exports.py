"""Every report as a file: the same rows in CSV, xlsx and JSON; the xlsx is read back from its parts."""

import csv
import io
import zipfile
from xml.etree import ElementTree

import pytest
from sqlalchemy import select

from callcenter.db.calls import CallRow
from callcenter.db.engine import Database
from callcenter.db.language import LanguageCheckRow
from callcenter.web.exports import workbook, written
from tests.conftest import SetClock
from tests.web.conftest import SignIn
from tests.web.test_complaints import complained

NS = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def tag(name: str) -> str:
    return f"{{{NS['s']}}}{name}"


def sheets(content: bytes) -> dict[str, list[list[str | None]]]:
    """The cells of each sheet as text, by the sheet's name; no cell may be a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        shared = ["".join(one.itertext()) for one in part(book, "sharedStrings").findall("s:si", NS)]
        names = [one.get("name", "") for one in part(book, "workbook").iter(tag("sheet"))]
        found: dict[str, list[list[str | None]]] = {}
        for number, name in enumerate(names, 1):
            sheet = part(book, f"worksheets/sheet{number}")
            assert sheet.find(".//s:f", NS) is None, "no formula"
            found[name] = [[text_of(cell, shared) for cell in row] for row in sheet.iter(tag("row"))]
        return found


def part(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(book.read(f"xl/{name}.xml"))


def text_of(cell: ElementTree.Element, shared: list[str]) -> str | None:
    value = cell.findtext("s:v", None, NS)
    return shared[int(value)] if cell.get("t") == "s" and value is not None else value


def plain(cell: str | None) -> object:
    """0 and 0.0 are one number; what a file leaves empty is None."""
    text = (cell or "").removeprefix("'")
    try:
        return float(text)
    except ValueError:
        return text or None


async def read(client: object, address: str) -> bytes:
    answer = await client.get(address)  # type: ignore[attr-defined]
    assert answer.status == 200, address
    assert "attachment" in answer.headers["Content-Disposition"]
    content: bytes = await answer.read()
    return content


@pytest.mark.parametrize("period", ["day", "month"])
async def test_figures_are_the_same_in_every_kind_of_file(sign_in: SignIn, period: str) -> None:
    client = await sign_in("hewen")
    told = await (await client.get(f"/answering/export.json?period={period}")).json()
    book = sheets(await read(client, f"/answering/export.xlsx?period={period}"))
    assert list(book) == ["parts", "agents", "numbers", "estates"]
    tables = {"time": "parts", "agent": "agents", "number": "numbers", "estate": "estates"}
    for by, table in tables.items():
        text = (await read(client, f"/answering/export.csv?period={period}&by={by}")).decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text))
        assert book[table][0] == head
        in_csv = [[plain(cell) for cell in row if cell] for row in rows]
        assert [[plain(cell) for cell in row if cell] for row in book[table][1:]] == in_csv
    expected = [told["whole"], *told["parts"]]
    assert len(book["parts"]) == len(expected) + 1
    offered = book["parts"][0].index("offered")
    assert [int(row[offered] or 0) for row in book["parts"][1:]] == [one["offered"] for one in expected]
    assert sum(one["offered"] for one in told["estates"]) == told["whole"]["offered"], "pages and tables agree"
    assert sum(one["offered"] for one in told["numbers"]) == told["whole"]["offered"]
    assert sum(one["matters"] for one in told["estates"]) == told["whole"]["matters"]
    assert sum(one["offered"] for one in told["parts"]) == told["whole"]["offered"]
    assert sum(one["talks"] for one in told["agents"]) == told["whole"]["connected"]


async def test_the_calls_behind_a_figure_are_a_file_too(sign_in: SignIn) -> None:
    client = await sign_in("hewen")
    told = await (await client.get("/answering/calls.json?which=late&period=day")).json()
    assert (told["count"], len(told["calls"])) == (2, 2)
    book = sheets(await read(client, "/answering/calls.xlsx?which=late&period=day"))
    assert [row[0] for row in book["calls"][1:]] == [one["call"] for one in told["calls"]]
    text = (await read(client, "/answering/calls.csv?which=late&period=day")).decode("utf-8-sig")
    assert [row["call"] for row in csv.DictReader(io.StringIO(text))] == [one["call"] for one in told["calls"]]
    assert "+86138" not in text, "no resident's number"
    page = await (await client.get("/answering/calls?which=late&period=day")).text()
    assert "/answering/calls.xlsx?which=late&amp;period=day" in page
    assert (await client.get("/answering/calls.csv?which=nonsense")).status == 404
    assert (await client.get("/answering/export.csv?by=nonsense")).status == 404
    for address in ("/answering/calls.csv", "/answering/export.xlsx", "/staffing/plan.xlsx"):
        assert (await (await sign_in("lijia")).get(address)).status == 403, address


@pytest.mark.parametrize("address", ["/complaints/export", "/language/export", "/quarters/2026-Q4/export"])
async def test_analyses_are_the_same_in_every_kind_of_file(
    sign_in: SignIn, database: Database, clock: SetClock, address: str
) -> None:
    await complained(database, clock)
    await checked(database, clock)
    client = await sign_in("hewen")
    told = await (await client.get(f"{address}.json")).json()
    book = sheets(await read(client, f"{address}.xlsx"))
    tables = {name: rows for name, rows in told.items() if isinstance(rows, list)}
    assert list(book) == list(tables)
    assert any(tables.values())
    for name, rows in tables.items():
        in_json = [[plain(str(cell)) for cell in row.values() if cell is not None] for row in rows]
        assert [[plain(cell) for cell in row if cell] for row in book[name][1:]] == in_json
        text = (await read(client, f"{address}.csv?by={name}")).decode("utf-8-sig")
        assert [[plain(cell) for cell in row if cell] for row in csv.reader(io.StringIO(text))][1:] == in_json
    assert (await client.get(f"{address}.csv?by=nonsense")).status == 404
    linked = address.replace("/export", "")
    assert f"{address}.xlsx" in await (await client.get(linked)).text()
    own = await (await sign_in("lijia")).get(f"{address}.json")
    assert own.status == (200 if "language" in address else 403)
    if own.status == 200:
        assert {row["agent"] for row in (await own.json())["weeks"]} <= {"lijia"}


async def checked(database: Database, clock: SetClock) -> None:
    """Two calls checked, of two agents."""
    measures = ("resident_ms", "agent_ms", "letters", "interruptions", "silences", "longest_silence_ms")
    async with database.write() as session:
        calls = (await session.scalars(select(CallRow).order_by(CallRow.started_at.desc()).limit(2))).all()
        for agent, call in zip(("lijia", "zhaomin"), calls, strict=True):
            judged = {"greeting": True, "unknowing": agent == "lijia"}
            session.add(
                LanguageCheckRow(
                    call_id=call.id,
                    agent=agent,
                    heard_at=clock.now(),
                    checked_at=clock.now(),
                    rules_version="1",
                    judged=judged,
                    **dict.fromkeys(measures, 1),
                )
            )


def test_a_text_stays_a_text() -> None:
    rows = [
        {"name": "=1+1", "number": -5, "share": 0.5, "none": None, "told": True},
        {"name": "http://a", "number": 1, "share": 1.0, "none": None, "told": False},
    ]
    assert sheets(workbook({"a sheet with a name that is too long": rows, "empty": []})) == {
        "a sheet with a name that is too": [
            ["name", "number", "share", "none", "told"],
            ["=1+1", "-5", "0.5", "1"],
            ["http://a", "1", "1", "0"],
        ],
        "empty": [],
    }
    assert written(rows[:1]) == "name,number,share,none,told\r\n'=1+1,-5,0.5,,True\r\n"
