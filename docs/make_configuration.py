"""Writes docs/configuration.md from callcenter.config.Settings; `--check` fails if the file says something else.

.venv/bin/python docs/make_configuration.py
"""

import sys
from collections.abc import Iterator
from datetime import time
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from callcenter.config import ENV_PREFIX, REPOSITORY, Settings

TARGET = Path(__file__).with_name("configuration.md")
TYPES = {
    str: "text",
    SecretStr: "text (secret)",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
}

INTRODUCTION = f"""# Configuration

Written by `docs/make_configuration.py` from `callcenter/config.py`: change the settings there, then run it again.

Settings come from a TOML file and from the environment; the environment wins. The file is the one given to
`--config`, else `${ENV_PREFIX}CONFIG`, else `./callcenter.toml`. A key `port` under `[server]` is
`{ENV_PREFIX}SERVER__PORT` in the environment; lists and tables are written as JSON there. A wrong or unknown key stops
the program at its start with the key, its value and the remedy; `callcenter doctor` checks what lies behind the
settings. An example: `deploy/callcenter.example.toml`.
"""


def main() -> int:
    text = document()
    if "--check" in sys.argv[1:]:
        if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print(f"{TARGET.name} is not what the settings say: run docs/make_configuration.py", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def document() -> str:
    parts = [INTRODUCTION]
    single = [row("", name, field) for name, field in Settings.model_fields.items() if not section_of(field)]
    parts.append(table("At the top of the file", "", single))
    for name, field in Settings.model_fields.items():
        model = section_of(field)
        if model is not None:
            repeated = get_origin(field.annotation) is tuple
            heading = f"`[[{name}]]`, once for each" if repeated else f"`[{name}]`"
            parts.append(table(heading, purpose(model), list(rows(name, model))))
    return "\n".join(parts)


def rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = section_of(field)
        if inner is not None and get_origin(field.annotation) is not tuple:
            yield from rows(f"{prefix}.{name}", inner)
        else:
            yield row(prefix, name, field)


def row(prefix: str, name: str, field: FieldInfo) -> str:
    key = f"{prefix}.{name}" if prefix else name
    cells = (f"`{key}`", type_name(field), default(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def table(heading: str, text: str, lines: list[str]) -> str:
    head = ["| Key | Type | Default | What it is |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {heading}", "", *([text, ""] if text else []), *head, *lines, ""])


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The table of settings that this field holds, once or as a list."""
    for one in (field.annotation, *get_args(field.annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def purpose(model: type[BaseModel]) -> str:
    own = model.__dict__.get("__doc__")
    return str(own).strip() if own else ""


def type_name(field: FieldInfo) -> str:
    limits = [
        f"{word} {getattr(rule, name)}"
        for rule in field.metadata
        for name, word in (
            ("gt", "above"),
            ("ge", "at least"),
            ("lt", "below"),
            ("le", "at most"),
            ("pattern", "matching"),
        )
        if getattr(rule, name, None) is not None
    ]
    return ", ".join([plain(field.annotation), *limits])


def plain(annotation: Any) -> str:
    if annotation in TYPES:
        return TYPES[annotation]
    arguments = [one for one in get_args(annotation) if one not in (type(None), ...)]
    origin = get_origin(annotation)
    if origin in (UnionType, Union):
        return " or ".join(plain(one) for one in arguments)
    if origin is tuple:
        return f"list of {plain(arguments[0])}"
    if origin is Annotated:
        return plain(arguments[0])
    if origin is dict:
        return f"table of {plain(arguments[-1])}"
    if arguments:
        return " or ".join(f"`{one}`" for one in arguments)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{one.value}`" for one in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "{ " + ", ".join(annotation.model_fields) + " }"
    return str(getattr(annotation, "__name__", annotation))


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return shown(field.get_default(call_default_factory=True))


def shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        inside = value.is_relative_to(REPOSITORY)
        return f"`{value.relative_to(REPOSITORY)}` beside the package" if inside else f"`{value}`"
    if value is None or value in ("", (), {}):
        return "empty"
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, dict):
        return ", ".join(f"{name} = {shown(part)}" for name, part in value.items())
    if isinstance(value, tuple):
        return ", ".join(shown(one) for one in value)
    if isinstance(value, BaseModel):
        parts = value.model_dump()
        if all(isinstance(part, time) for part in parts.values()):
            return "`" + "-".join(f"{part:%H:%M}" for part in parts.values()) + "`"
        return "{ " + ", ".join(f"{name} = {shown(part)}" for name, part in parts.items()) + " }"
    if isinstance(value, time):
        return f"`{value:%H:%M}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


if __name__ == "__main__":
    sys.exit(main())
