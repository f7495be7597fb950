"""What is wrong with the settings, a line each: key, value, remedy. A value that may be a secret is never shown."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

PLAIN = (str, int, float, bool, date, time, Path)
LONGEST = 60
WITH_USER = re.compile(r"://[^\s'\"]*@")
"""An address with a user, and so perhaps a password, in it."""


def one_line_each(error: ValidationError, settings: type[BaseModel], *, source: str) -> Iterator[str]:
    """A problem a line. Rules for the whole (no key of their own) begin their message with the keys they speak of."""
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        is_unknown, is_missing = problem["type"] == "extra_forbidden", problem["type"] == "missing"
        may_be_shown = not is_unknown and not is_missing and may_show(settings, problem["loc"], problem["input"])
        value = f" = {_short(problem['input'])}" if may_be_shown else ""
        remedy = "no such setting; remove it or correct its name" if is_unknown else _plain(problem)
        line = f"{key}{value}: {remedy}" if key else remedy
        yield f"{WITH_USER.sub('://***@', line)} (set in {source})"


def may_show(settings: type[BaseModel], location: Sequence[int | str], value: object) -> bool:
    """Only a plain value of a known key that neither is a secret nor holds one, and no address with a user in it.

    The database's address is a secret: an unreadable one has its password anywhere.
    """
    if not isinstance(value, PLAIN) or ("://" in str(value) and "@" in str(value)):
        return False
    if tuple(location) == ("database", "url"):
        return False
    model: type[BaseModel] | None = settings
    annotation: Any = None
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if model else None
        if field is None:
            return model is None and annotation is not None and not _holds_secret(annotation)
        annotation, model = field.annotation, _section(field.annotation)
    return model is None and annotation is not None and not _holds_secret(annotation)


def _section(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)


def _holds_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_holds_secret(one) for one in get_args(annotation))


def _plain(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _short(value: object) -> str:
    text = repr(str(value)) if isinstance(value, Path) else repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
