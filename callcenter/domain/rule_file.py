"""A file of rules that an operator edits (TOML): reading its parts, and errors that name file, line, table and key."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONGEST_FILE = 2_000_000
"""Bytes."""


class RuleFileError(ValueError):
    """A rule file does not hold what it should; the message names file, line, table and key.

    `item` is the list entry that is wrong; together with table and key it leads to the line.
    """

    def __init__(
        self, problem: str, *, file: str = "", table: str = "", key: str = "", item: str = "", line: int | None = None
    ) -> None:
        self.problem, self.file, self.table, self.key, self.item, self.line = problem, file, table, key, item, line
        where = f"{file}.toml" if file and not file.endswith(".toml") else file
        lined = f"{where}, line {line}: " if where and line else f"{where}: " if where else ""
        super().__init__(f"{lined}{f'[{table}] ' if table else ''}{problem}")

    def located(self, file: str, text: str, path: str) -> "RuleFileError":
        """The same with its line, found in the file's text."""
        line = _line_of(text, self.table, self.key, self.item)
        return RuleFileError(self.problem, file=path, table=self.table, key=self.key, item=self.item, line=line)


_SINGLE_HEADING = re.compile(r"^\s*\[(?!\[)")


def _line_of(text: str, table: str, key: str, item: str) -> int | None:
    """The entry's line, else the key's, else the table's heading."""
    lines = text.split("\n")
    heading = re.compile(rf"^\s*\[+\s*{re.escape(table)}\s*\]+")
    start = next((number for number, line in enumerate(lines) if table and heading.match(line)), 0)
    keyed = re.compile(rf'^\s*"?{re.escape(key)}"?\s*=')
    ends = next((at for at in range(start + 1, len(lines)) if table and _SINGLE_HEADING.match(lines[at])), len(lines))
    at_key = next((number for number in range(start, ends) if key and keyed.match(lines[number])), None)
    written = (json.dumps(item, ensure_ascii=False)[1:-1], item)
    after = range(at_key if at_key is not None else start, len(lines))
    at_item = next((number for number in after if item and any(form in lines[number] for form in written)), None)
    found = at_item if at_item is not None else at_key if at_key is not None else (start if table else None)
    return None if found is None else found + 1


def text_of_file(path: Path) -> tuple[str, str]:
    try:
        if path.stat().st_size > LONGEST_FILE:
            raise RuleFileError(f"larger than {LONGEST_FILE // 1_000_000} MB", file=str(path))
        return str(path), path.read_text("utf-8")
    except OSError as error:
        raise RuleFileError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        raise RuleFileError("is not UTF-8", file=str(path)) from error


def parsed(path: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+), column \d+\)|$", str(error))
        line = int(at[1]) if at and at[1] else (text.count("\n") + 1 if "end of document" in str(error) else None)
        raise RuleFileError(str(error), file=path, line=line) from error


def pattern_of(file: str, table: str, key: str, texts: list[str]) -> re.Pattern[str]:
    for text in texts:
        try:
            re.compile(text)
        except re.error as error:
            problem = f"{key} holds a bad pattern {text[:60]!r}: {error}"
            raise RuleFileError(problem, file=file, table=table, key=key, item=text[:40]) from error
    return re.compile("|".join(f"(?:{text})" for text in texts) or "(?!)")


def strings_of(file: str, where: str, table: Any, key: str) -> list[str]:
    if not isinstance(table, dict):
        raise RuleFileError("must be a table", file=file, key=where)
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise RuleFileError(f"{key} must be a list of words", file=file, table=where, key=key)
    return value


def label_of(file: str, where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise RuleFileError(f"needs a label {key}", file=file, table=where, key=key)
    return value
