"""The estate register as a CSV file: read whole or refused whole, each error with line, column, value and remedy."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from callcenter.domain.phone_numbers import dialable
from callcenter.domain.tickets import Place
from callcenter.domain.understanding.numbers import written
from callcenter.domain.understanding.register import EstateRegister, canonical_phase, without_suffix

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "estate": ("estate", "小区", "小区名称", "项目", "项目名称"),
    "phase": ("phase", "期", "期数", "分期"),
    "lane": ("lane", "弄", "弄号"),
    "building": ("building", "楼栋", "栋", "幢", "号", "楼号", "栋号", "楼栋号"),
    "unit": ("unit", "单元", "单元号"),
    "floor": ("floor", "楼层", "层"),
    "room": ("room", "房号", "室", "室号", "房间号", "门牌"),
    "name": ("name", "姓名", "业主姓名", "业主", "住户", "联系人"),
    "phone": ("phone", "电话", "手机", "手机号", "联系电话", "电话号码"),
}
MOST_ERRORS = 100
LONGEST_CELL = 60

NO_CSV = "the line is no CSV (%(why)s); put cells with quotes or line breaks into double quotes"
NO_ENCODING = "the file is neither UTF-8 nor GB 18030; save it as CSV UTF-8"
TWO_COLUMNS = "two columns mean %(column)s; keep one"
NO_COLUMNS = "the first line must name the columns: %(columns)s (or 小区, 楼栋, 单元, 房号, 姓名, 电话 ...)"
NO_ROOMS = "the file has no rooms; add a line for each"
TOO_MANY_CELLS = "%(cells)s cells under %(headings)s headings; a comma inside a cell needs double quotes"
SAME_AS_BEFORE = "the same as line %(line)s; remove one of them"
TOO_LONG = "longer than %(most)s letters, or with letters that cannot be shown"
AS_A_NUMBER = "written by a spreadsheet as a number; format the column as text and save again"
NO_PHONE = "11 digits for a mobile (13812345678), area code and number for a landline (021-12345678)"
NO_PHASE = "write the phase like 二期 or 2"
NO_FLOOR = "write the floor like 5, 负1 or B1"
NO_FIGURE = "write the %(column)s like 3, 12A or B"
NO_ADDRESS = "a line needs at least an estate, a lane or a building"
NO_BUILDING = "%(column)s %(value)s needs its building"
NO_ROOM = "a resident needs a room"

_COLUMN_OF = {heading: column for column, headings in HEADINGS.items() for heading in headings}
_NUMBERED = re.compile(r"附?[A-Z]?\d{1,5}[A-Z]?|[A-Z甲乙丙丁东西南北]")
_FLOOR = re.compile(r"(?:负|地下|-|B)?\d{1,3}")
_PHASE = re.compile(r"第?(?:\d{1,2}(?:\.\d)?|[一二三四五六七八九十]{1,3}|[东南西北中]{1,2})期?")
_BY_A_SPREADSHEET = re.compile(r"\d+\.0|\d(?:\.\d+)?[eE]\+?\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterError:
    """What is wrong in one cell, or with one line (then `column` is empty).

    `advice` is one of a few sentences, so that it can be said in another language; `values` stand in its %(...)s.
    """

    line: int
    column: str
    value: str
    advice: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def remedy(self) -> str:
        return self.advice % self.values if self.values else self.advice

    def __str__(self) -> str:
        where = f", column {self.column}" if self.column else ""
        shown = f": {self.value!r}" if self.value else ""
        return f"line {self.line}{where}{shown}: {self.remedy}"


class RegisterFileError(ValueError):
    """The file cannot be taken as it is; `errors` in the order of its lines, at most MOST_ERRORS."""

    def __init__(self, errors: Iterable[RegisterError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, kw_only=True, slots=True)
class Resident:
    """Who lives there; `phone` as it is dialled from anywhere (+86...)."""

    name: str | None
    phone: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterFile:
    """The rooms in the order of the file, each with its residents; and the headings that say nothing to us."""

    rooms: Mapping[Place, tuple[Resident, ...]]
    ignored: tuple[str, ...] = ()

    def register(self) -> EstateRegister:
        return EstateRegister.of(self.rooms_with_phones())

    def rooms_with_phones(self) -> Iterator[tuple[Place, tuple[str, ...]]]:
        for place, residents in self.rooms.items():
            yield place, tuple(one.phone for one in residents if one.phone)


def read_register(data: bytes) -> RegisterFile:
    """Raises RegisterFileError with every error found; a file with any error gives nothing."""
    rows = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        columns, ignored = _columns(next(rows, []))
        return RegisterFile(rooms=_rooms(rows, columns), ignored=ignored)
    except csv.Error as error:
        raise _refused(rows.line_num, NO_CSV, why=str(error)) from error


def _refused(line: int, advice: str, of_column: str = "", shown: str = "", **values: object) -> RegisterFileError:
    error = RegisterError(line=line, column=of_column, value=shown, advice=advice, values=values)
    return RegisterFileError([error])


def _decoded(data: bytes) -> str:
    """UTF-8, or GB 18030, in which Chinese spreadsheets save."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _refused(1, NO_ENCODING)


def _columns(heading: list[str]) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    """The column that each cell of a line belongs to, None where we know none such."""
    names = [cell.strip().lower() for cell in heading]
    columns = tuple(_COLUMN_OF.get(name) for name in names)
    known = [column for column in columns if column is not None]
    twice = sorted({column for column in known if known.count(column) > 1})
    if twice:
        raise _refused(1, TWO_COLUMNS, twice[0], ",".join(heading)[:60], column=twice[0])
    if not {"estate", "lane", "building"} & set(known):
        raise _refused(1, NO_COLUMNS, "", ",".join(heading)[:60], columns=", ".join(HEADINGS))
    return columns, tuple(
        name for name, column in zip(heading, columns, strict=True) if column is None and name.strip()
    )


def _rooms(rows: Iterator[list[str]], columns: tuple[str | None, ...]) -> dict[Place, tuple[Resident, ...]]:
    found: dict[Place, tuple[Resident, ...]] = {}
    errors: list[RegisterError] = []
    lines: dict[tuple[Place, Resident | None], int] = {}
    line = 2
    for cells in rows:
        line, next_line = _line_of(rows, cells, line)
        if any(cell.strip() for cell in cells):
            errors += _take(found, lines, _Row(line=line, cells=cells, columns=columns))
        line = next_line
        if len(errors) >= MOST_ERRORS:
            break
    if not errors and not found:
        raise _refused(2, NO_ROOMS)
    if errors:
        raise RegisterFileError(errors[:MOST_ERRORS])
    return found


def _line_of(rows: Iterator[list[str]], cells: list[str], line: int) -> tuple[int, int]:
    """Where this row begins and the next one does: a cell may hold line breaks."""
    last: int = rows.line_num  # type: ignore[attr-defined]
    return max(line, last - sum(cell.count("\n") for cell in cells)), last + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    line: int
    cells: list[str]
    columns: tuple[str | None, ...]

    def error(self, column: str, value: str, advice: str, /, **values: object) -> RegisterError:
        return RegisterError(line=self.line, column=column, value=value[:LONGEST_CELL], advice=advice, values=values)

    def by_column(self) -> dict[str, str]:
        return {
            column: cell.strip()
            for column, cell in zip(self.columns, self.cells, strict=False)
            if column is not None and cell.strip()
        }


def _take(
    found: dict[Place, tuple[Resident, ...]], lines: dict[tuple[Place, Resident | None], int], row: _Row
) -> list[RegisterError]:
    """Adds the row's room, or says what is wrong with the row."""
    if len(row.cells) > len(row.columns):
        return [row.error("", ",".join(row.cells), TOO_MANY_CELLS, cells=len(row.cells), headings=len(row.columns))]
    cells = row.by_column()
    errors = [error for column, cell in cells.items() if (error := _wrong_cell(row, column, cell)) is not None]
    if not errors:
        errors = _wrong_address(row, cells)
    if errors:
        return errors
    place, resident = _place(cells), _resident(cells)
    known = lines.setdefault((place, resident), row.line)
    if known != row.line:
        return [row.error("", place.written(), SAME_AS_BEFORE, line=known)]
    found[place] = (*found.get(place, ()), *([resident] if resident else []))
    return []


def _wrong_cell(row: _Row, column: str, cell: str) -> RegisterError | None:
    if len(cell) > LONGEST_CELL or not cell.isprintable():
        return row.error(column, cell, TOO_LONG, most=LONGEST_CELL)
    if column not in ("estate", "name") and _BY_A_SPREADSHEET.fullmatch(cell):
        return row.error(column, cell, AS_A_NUMBER)
    if column == "phone" and dialable(cell) is None:
        return row.error(column, cell, NO_PHONE)
    if column == "phase" and not _PHASE.fullmatch(cell):
        return row.error(column, cell, NO_PHASE)
    if column == "floor" and not _FLOOR.fullmatch(_figure(cell)):
        return row.error(column, cell, NO_FLOOR)
    if column in ("lane", "building", "unit", "room") and not _NUMBERED.fullmatch(_figure(cell)):
        return row.error(column, cell, NO_FIGURE, column=column)
    return None


def _wrong_address(row: _Row, cells: Mapping[str, str]) -> list[RegisterError]:
    if not {"estate", "lane", "building"} & set(cells):
        return [row.error("building", "", NO_ADDRESS)]
    for lower in ("unit", "floor", "room"):
        if lower in cells and "building" not in cells:
            return [row.error("building", "", NO_BUILDING, column=lower, value=cells[lower])]
    if ("name" in cells or "phone" in cells) and "room" not in cells and "building" not in cells:
        return [row.error("room", "", NO_ROOM)]
    return []


def _place(cells: Mapping[str, str]) -> Place:
    figures = {slot: _figure(cells[slot]) for slot in ("lane", "building", "unit", "floor", "room") if slot in cells}
    phase = canonical_phase(cells["phase"]) if "phase" in cells else None
    return Place(estate=cells.get("estate"), phase=phase, **figures)


def _figure(cell: str) -> str:
    """三栋, 3栋 and 3 are all written 3."""
    return without_suffix(written(re.sub(r"\s", "", cell)))


def _resident(cells: Mapping[str, str]) -> Resident | None:
    if "name" not in cells and "phone" not in cells:
        return None
    return Resident(name=cells.get("name"), phone=dialable(cells.get("phone")))
