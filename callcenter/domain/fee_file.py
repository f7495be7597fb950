"""Overdue fees from a CSV file: number, name, place, amount, items, due date; taken whole or refused whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from callcenter.domain.phone_numbers import dialable
from callcenter.domain.table_file import Line, TableError, TableRefused, read_table

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "number": ("phone", "电话", "手机", "手机号", "号码", "联系电话", "电话号码"),
    "name": ("姓名", "业主", "业主姓名", "住户", "联系人"),
    "place": ("address", "地址", "房号", "房间", "房屋"),
    "amount": ("金额", "欠费金额", "欠费", "应缴金额", "金额(元)", "金额（元）"),
    "items": ("item", "项目", "收费项目", "费用项目", "明细", "费用"),
    "due": ("due_on", "due date", "到期日", "应缴日期", "截止日期", "缴费期限"),
}
REQUIRED = ("number", "amount", "items", "due")
LONGEST = {"name": 20, "place": 60, "items": 60}
MOST_FEN = 10**9
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fee:
    """One line: `number` dialable, `amount_fen` in 1/100 yuan, `place` as written, empty where there is none."""

    number: str
    name: str | None
    place: str
    amount_fen: int
    items: str
    due_on: date


def read_fees(data: bytes) -> tuple[Fee, ...]:
    """Raises TableRefused with every error found; a file with any error gives nothing."""
    fees: list[Fee] = []
    errors: list[TableError] = []
    seen: dict[tuple[str, str, str, date], int] = {}
    for line in read_table(data, headings=HEADINGS, required=REQUIRED):
        read = _read(line)
        if not isinstance(read, Fee):
            errors += read
            continue
        key = (read.number, read.place, read.items, read.due_on)
        if key in seen:
            errors.append(line.wrong("", f"the same number, place, items and due date stand on line {seen[key]}"))
        seen.setdefault(key, line.number)
        fees.append(read)
    if errors:
        raise TableRefused(errors)
    return tuple(fees)


def _read(line: Line) -> Fee | list[TableError]:
    cells = line.cells
    number, amount_fen = dialable(cells.get("number")), _fen(cells.get("amount", ""))
    due_on, items = _date(cells.get("due", "")), cells.get("items", "")
    errors = [
        line.wrong(column, f"more than {longest} characters")
        for column, longest in LONGEST.items()
        if len(cells.get(column, "")) > longest
    ]
    if not items:
        errors.append(line.wrong("items", "name what is owed, for example 物业费"))
    if number is None:
        errors.append(line.wrong("number", "give a number that can be dialled, like 13912344471 or 0571-87654321"))
    if amount_fen is None:
        errors.append(line.wrong("amount", "give yuan above 0 with at most two decimals, like 1234.50"))
    if due_on is None:
        errors.append(line.wrong("due", "give a date like 2026-10-31"))
    if errors or number is None or amount_fen is None or due_on is None:
        return errors
    return Fee(
        number=number,
        name=cells.get("name") or None,
        place=cells.get("place", ""),
        amount_fen=amount_fen,
        items=items,
        due_on=due_on,
    )


def _fen(text: str) -> int | None:
    bare = text.replace(",", "").replace("，", "").removeprefix("¥").removeprefix("￥").removesuffix("元").strip()
    try:
        fen = Decimal(bare) * 100
    except InvalidOperation:
        return None
    return int(fen) if fen.is_finite() and fen == int(fen) and 0 < fen <= MOST_FEN else None


def _date(text: str) -> date | None:
    match = _DATE.fullmatch(text)
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None
