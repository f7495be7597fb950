"""Reports as files: CSV with a byte order mark, xlsx with a sheet for each table, JSON. The same rows in all three."""

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import xlsxwriter
from aiohttp import web

from callcenter.web.errors import NotFound
from callcenter.web.security import protect

BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets on Windows do not read a CSV file as UTF-8."""

BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHEET_ROWS = 1_048_575
"""Rows that a sheet can hold beneath its head."""

LONGEST_SHEET_NAME = 31
WIDEST = 40

Rows: TypeAlias = Sequence[Mapping[str, Any]]


def csv_file(rows: Iterable[Mapping[str, Any]], name: str) -> web.Response:
    return _file((BYTE_ORDER_MARK + written(rows)).encode(), "text/csv", f"{name}.csv")


def json_file(found: Mapping[str, Any], name: str) -> web.Response:
    response = web.json_response(found)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.json"'
    protect(response)
    return response


def xlsx_file(sheets: Mapping[str, Rows], name: str) -> web.Response:
    """A sheet a table, by its name; takes a while with many rows, so call it in a thread."""
    return _file(workbook(sheets), XLSX, f"{name}.xlsx")


async def tables_file(
    kind: str, tables: Mapping[str, Rows], name: str, *, by: str, head: Mapping[str, Any] | None = None
) -> web.Response:
    """All the tables as `kind` xlsx (a sheet each) or json (with `head`); csv holds the one that `by` names.

    Raises NotFound.
    """
    if kind == "xlsx":
        return await asyncio.to_thread(xlsx_file, tables, name)
    if kind == "json":
        return json_file({**(head or {}), **tables}, name)
    if by not in tables:
        raise NotFound
    return csv_file(tables[by], f"{name}-{by}")


def written(rows: Iterable[Mapping[str, Any]]) -> str:
    """CSV with a head; a text that a spreadsheet would take for a formula stands behind an apostrophe."""
    kept = list(rows)
    out = io.StringIO()
    if kept:
        table = csv.DictWriter(out, fieldnames=list(kept[0]), lineterminator="\r\n")
        table.writeheader()
        table.writerows({name: _harmless(value) for name, value in row.items()} for row in kept)
    return out.getvalue()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(BEGINS_A_FORMULA) else value


def workbook(sheets: Mapping[str, Rows]) -> bytes:
    """The bytes of an xlsx file. Texts are texts: none is read as a formula or an address."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(out, options) as book:
        bold = book.add_format({"bold": True})
        for name, rows in sheets.items():
            _write_sheet(book.add_worksheet(name[:LONGEST_SHEET_NAME]), rows[:MOST_SHEET_ROWS], bold)
    return out.getvalue()


def _write_sheet(sheet: Any, rows: Rows, bold: Any) -> None:
    names = list(rows[0]) if rows else []
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, bold)
        longest = max(len(str(row[name])) for row in rows[:50])
        sheet.set_column(column, column, min(WIDEST, max(len(name), longest) + 2))
    if names:
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(names) - 1)
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row.values()):
            _write_cell(sheet, number, column, value)


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, value.isoformat() if isinstance(value, datetime) else str(value))


def _file(content: bytes, content_type: str, name: str) -> web.Response:
    charset = "utf-8" if content_type.startswith("text/") else None
    response = web.Response(body=content, content_type=content_type, charset=charset)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    protect(response)
    return response
