"""Whom a campaign phones, from a CSV file of numbers: taken whole or refused whole."""

from collections.abc import Mapping
from dataclasses import dataclass

from callcenter.domain.phone_numbers import dialable
from callcenter.domain.table_file import TableRefused, read_table

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "number": ("phone", "电话", "手机", "手机号", "号码", "联系电话", "电话号码"),
    "name": ("姓名", "业主", "业主姓名", "住户", "联系人"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """A dialable number and whom it belongs to."""

    number: str
    name: str | None = None


def read_recipients(data: bytes) -> tuple[Recipient, ...]:
    """Each number once, in the order of the file. Raises TableRefused with every error found."""
    found: dict[str, Recipient] = {}
    errors = []
    for line in read_table(data, headings=HEADINGS, required=("number",)):
        number = dialable(line.cells.get("number"))
        if number is None:
            errors.append(line.wrong("number", "give a number that can be dialled, like 13912344471 or 0571-87654321"))
        else:
            found.setdefault(number, Recipient(number=number, name=line.cells.get("name") or None))
    if errors:
        raise TableRefused(errors)
    return tuple(found.values())
