"""A room's form: what stands in it, and what was changed by the one that came back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from callcenter.config import Settings, set_by_environment
from callcenter.web.admin.settings import Kind, Room, Rows, Setting, Unreadable, read, value_at, written

MORE_ROWS = 1
"""Empty rows at the end of a list, to fill in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """One box. `is_changed`: not as the file says; `is_fixed`: the environment says it; `is_set` of a secret."""

    setting: Setting
    name: str
    text: str
    is_wrong: bool = False
    is_changed: bool = False
    is_fixed: bool = False
    is_set: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TableInput:
    rows: Rows
    lines: tuple[tuple[Input, ...], ...]
    is_changed: bool = False
    is_fixed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """What came back: the values by key, and the names of boxes that hold no value of their kind."""

    changes: dict[str, Any]
    unreadable: tuple[str, ...]


class RoomForm:
    """`of_file` is what holds without the console, `saved` what it says now."""

    def __init__(self, room: Room, *, saved: Settings, of_file: Settings, values: Mapping[str, Any]) -> None:
        self.room = room
        self._saved, self._of_file = (one.model_dump(mode="json") for one in (saved, of_file))
        self._settings, self._values = saved, values

    def inputs(
        self, typed: Mapping[str, str] | None = None, wrong: frozenset[str] = frozenset()
    ) -> list[tuple[str, list[Input | TableInput]]]:
        """By group. `typed`: as it came back; `wrong`: the names of boxes to mend."""
        return [
            (
                group.title,
                [
                    self._table(one, typed, wrong) if isinstance(one, Rows) else self._input(one, typed, wrong)
                    for one in group.settings
                ],
            )
            for group in self.room.groups
        ]

    def _input(self, setting: Setting, typed: Mapping[str, str] | None, wrong: frozenset[str]) -> Input:
        key = setting.key
        shown = written(value_at(self._saved, key), setting.kind)
        return Input(
            setting=setting,
            name=key,
            text=shown if typed is None else typed.get(key, ""),
            is_wrong=key in wrong,
            is_changed=key in self._values,
            is_fixed=set_by_environment(key),
            is_set=setting.kind is Kind.SECRET and bool(value_at(self._saved, key)),
        )

    def _table(self, rows: Rows, typed: Mapping[str, str] | None, wrong: frozenset[str]) -> TableInput:
        kept: list[dict[str, Any]] = value_at(self._saved, rows.key) or []
        count = len(kept) if typed is None else max(_numbers(rows, typed), default=0)
        lines = []
        for number in range(count + MORE_ROWS):
            known = kept[number] if number < len(kept) else {}
            lines.append(tuple(self._cell(rows, number, known, one, typed, wrong) for one in rows.columns))
        return TableInput(
            rows=rows, lines=tuple(lines), is_changed=rows.key in self._values, is_fixed=set_by_environment(rows.key)
        )

    def _cell(
        self,
        rows: Rows,
        number: int,
        known: Mapping[str, Any],
        column: Setting,
        typed: Mapping[str, str] | None,
        wrong: frozenset[str],
    ) -> Input:
        name = f"{rows.key}.{number}.{column.key}"
        shown = written(known.get(column.key), column.kind)
        return Input(
            setting=column,
            name=name,
            text=shown if typed is None else typed.get(name, ""),
            is_wrong=bool({name, f"{rows.key}.{number}", rows.key} & wrong),
        )

    def read(self, typed: Mapping[str, str]) -> Filled:
        """What is as the file says is no change; an empty secret, and what the environment says, is left alone."""
        changes: dict[str, Any] = {}
        unreadable: list[str] = []
        for setting in (one for group in self.room.groups for one in group.settings):
            if set_by_environment(setting.key):
                continue
            if isinstance(setting, Rows):
                value: Any = list(self._read_rows(setting, typed, unreadable))
                before = value_at(self._of_file, setting.key)
            elif setting.kind is Kind.SECRET and not typed.get(setting.key):
                continue
            else:
                try:
                    value = read(typed.get(setting.key, ""), setting.kind)
                except Unreadable:
                    unreadable.append(setting.key)
                    continue
                before = None if setting.kind is Kind.SECRET else value_at(self._of_file, setting.key)
                if setting.optional and value == "":
                    value = None
            changes[setting.key] = None if _same(value, before) else value
        return Filled(changes=changes, unreadable=tuple(unreadable))

    def _read_rows(self, rows: Rows, typed: Mapping[str, str], unreadable: list[str]) -> Iterator[dict[str, Any]]:
        kept: list[dict[str, Any]] = value_at(self._saved, rows.key) or []
        for number in sorted(_numbers(rows, typed)):
            begin = f"{rows.key}.{number - 1}"
            texts = {column.key: typed.get(f"{begin}.{column.key}", "").strip() for column in rows.columns}
            free = [column.key for column in rows.columns if column.kind is not Kind.CHOICE]
            if typed.get(f"{begin}.drop") or not any(texts[name] for name in free):
                continue
            row = dict(kept[number - 1]) if number <= len(kept) else {}
            for column in rows.columns:
                try:
                    value = read(texts[column.key], column.kind)
                except Unreadable:
                    unreadable.append(f"{begin}.{column.key}")
                    continue
                row[column.key] = None if column.optional and value == "" else value
            yield row


def _numbers(rows: Rows, typed: Mapping[str, str]) -> set[int]:
    """The lines that came back, from 1."""
    found = set()
    for name in typed:
        parts = name.removeprefix(f"{rows.key}.").split(".")
        if name.startswith(f"{rows.key}.") and len(parts) == 2 and parts[0].isdecimal() and len(parts[0]) < 4:
            found.add(int(parts[0]) + 1)
    return found


def _same(value: Any, before: Any) -> bool:
    """Also where one has what the other leaves to its default."""
    if isinstance(value, list) and isinstance(before, list) and all(isinstance(one, dict) for one in [*value, *before]):
        return len(value) == len(before) and all(
            {name: part for name, part in both[0].items() if part is not None}.items()
            <= {name: part for name, part in both[1].items() if part is not None}.items()
            for both in zip(value, before, strict=True)
        )
    return bool(value == before)
