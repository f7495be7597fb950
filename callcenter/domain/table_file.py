"""A CSV file that people save from a spreadsheet: its columns by their headings, errors with line and remedy."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MOST_ERRORS = 100
SHOWN = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class TableError:
    """What is wrong in one cell, or with one line (then `column` is empty)."""

    line: int
    column: str
    value: str
    remedy: str

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        shown = f": {self.value[:SHOWN]!r}" if self.value else ""
        return f"line {self.line}{where}{shown}: {self.remedy}"


class TableRefused(ValueError):
    """The file cannot be taken as it is, and nothing of it was; `errors` in the order of its lines."""

    def __init__(self, errors: Iterable[TableError]) -> None:
        self.errors = tuple(errors)[:MOST_ERRORS]
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the file that is not empty; `cells` by column, without what surrounds them."""

    number: int
    cells: Mapping[str, str]

    def wrong(self, column: str, remedy: str) -> TableError:
        return TableError(line=self.number, column=column, value=self.cells.get(column, ""), remedy=remedy)


def read_table(data: bytes, *, headings: Mapping[str, tuple[str, ...]], required: Iterable[str]) -> tuple[Line, ...]:
    """UTF-8 or GB 18030; the first line names the columns, in any order. Raises TableRefused."""
    rows = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        columns = _columns(next(rows, []), headings, tuple(required))
        found = tuple(_lines(rows, columns))
    except csv.Error as error:
        raise _refused(rows.line_num, f"this is no CSV ({error}); put cells with commas into double quotes") from error
    if not found:
        raise _refused(2, "the file has no lines below its headings")
    return found


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused(1, "the file is neither UTF-8 nor GB 18030; save it as CSV UTF-8")


def _columns(
    heading: list[str], headings: Mapping[str, tuple[str, ...]], required: tuple[str, ...]
) -> list[str | None]:
    """The column of each cell; None for a heading that says nothing to us."""
    known = {name: column for column, names in headings.items() for name in (column, *names)}
    columns = [known.get(cell.strip().lower()) for cell in heading]
    named = [column for column in columns if column is not None]
    twice = next((column for column in named if named.count(column) > 1), None)
    if twice is not None:
        raise _refused(1, f"two columns mean {twice}; keep one")
    missing = [column for column in required if column not in named]
    if missing:
        ways = "; ".join(f"{column} ({', '.join(headings[column])})" for column in missing)
        raise _refused(1, f"these columns are missing: {ways}")
    return columns


def _lines(rows: Iterator[list[str]], columns: list[str | None]) -> Iterator[Line]:
    for number, row in enumerate(rows, 2):
        if any(cell.strip() for cell in row):
            pairs = zip(columns, row, strict=False)
            yield Line(number=number, cells={column: cell.strip() for column, cell in pairs if column is not None})


def _refused(line: int, remedy: str) -> TableRefused:
    return TableRefused([TableError(line=line, column="", value="", remedy=remedy)])
