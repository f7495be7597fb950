"""Reads service_language.toml, the package's or an operator's; an error names the line."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from callcenter.domain.rule_file import RuleFileError, label_of, parsed, pattern_of, strings_of, text_of_file
from callcenter.domain.service_language.rules import ForbiddenWording, Label, LanguageRules, Limits, WantedWording
from callcenter.domain.service_language.sounds import syllables_of
from callcenter.domain.understanding.rules_files import default_rules

FILE = "service_language"
SHORTEST_SOUND = 3
"""Letters: two sound like too much else."""
OPENING = ("greeting", "company", "surname", "help")
_BETWEEN = "[，,]?[了啊呀吧呢嘛的就都还又]?"


class LanguageRuleFile:
    """The product's rules, or those of `service_language.toml` in an operator's folder, if it is there.

    `current()` reads again when the file has changed. A mistake in a changed file leaves the rules as they were;
    `problem` says what is wrong until it is mended.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = folder / f"{FILE}.toml" if folder else None
        self._stamp: tuple[int, int] | None = None
        self._rules: LanguageRules | None = None
        self.problem: RuleFileError | None = None

    def current(self) -> LanguageRules:
        if self._path is None:
            return default_language_rules()
        try:
            found = self._path.stat()
        except OSError:
            self._stamp, self._rules, self.problem = None, None, None
            return default_language_rules()
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._rules, self.problem = language_rules(self._path), None
            except RuleFileError as error:
                self.problem = error
        return self._rules or default_language_rules()


@cache
def default_language_rules() -> LanguageRules:
    """The rules that come with the product."""
    return read_language_rules(f"{FILE}.toml", built_in_text())


def built_in_text() -> str:
    return (files(__package__) / "data" / f"{FILE}.toml").read_text("utf-8")


def language_rules(path: Path) -> LanguageRules:
    """The rules of one file; raises RuleFileError with the line."""
    return read_language_rules(*text_of_file(path))


def read_language_rules(path: str, text: str) -> LanguageRules:
    """The rules of a text; `path` is what an error calls it."""
    table = parsed(path, text)
    try:
        return _rules(table, version=hashlib.sha256(text.encode()).hexdigest()[:12])
    except RuleFileError as error:
        raise error.located(error.file, text, path) from error


def _rules(table: Mapping[str, Any], *, version: str) -> LanguageRules:
    never = _table(table, "", "never")
    if not never:
        raise RuleFileError("needs at least one [never.…]", file=FILE)
    opening = _table(table, "", "opening")
    missing = next((key for key in OPENING if key not in opening), None)
    if missing or set(opening) - set(OPENING):
        wrong = missing or min(set(opening) - set(OPENING))
        problem = f"{'needs' if missing else 'has an unknown'} part {wrong}; the parts are {', '.join(OPENING)}"
        raise RuleFileError(problem, file=FILE, table=f"opening.{wrong}" if not missing else "", key="")
    quoted, promise = _table(table, "", "quoted"), _table(_table(table, "", "promise"), "promise", "time")
    return LanguageRules(
        version=version,
        never=tuple(_forbidden(key, _table(never, "never", key)) for key in never),
        opening=tuple(_wanted("opening", key, _table(opening, "opening", key)) for key in OPENING),
        closing=_wanted("closing", "farewell", _table(_table(table, "", "closing"), "closing", "farewell")),
        promises=_pattern("promise.time", promise, "patterns"),
        promise_label=_label("promise.time", promise),
        times=_pattern("promise.time", promise, "times"),
        quoted_before=re.compile(f"(?:{_pattern('quoted', quoted, 'before').pattern})$"),
        quoted_after=_pattern("quoted", quoted, "after"),
        sounds=_sounds(table, never),
        limits=_limits(_table(table, "", "measures")),
    )


def _forbidden(key: str, table: Mapping[str, Any]) -> ForbiddenWording:
    where = f"never.{key}"
    phrases = [_loose(phrase) for phrase in strings_of(FILE, where, table, "phrases")]
    written = strings_of(FILE, where, table, "patterns")
    pattern_of(FILE, where, "patterns", written)
    if not phrases and not written:
        raise RuleFileError("needs phrases or patterns", file=FILE, table=where)
    return ForbiddenWording(
        key=key,
        label=_label(where, table),
        patterns=tuple(re.compile(text) for text in (*phrases, *written)),
        unless=_pattern(where, table, "unless"),
        opening_only=table.get("opening_only") is True,
    )


def _loose(phrase: str) -> str:
    """The phrase with 您 for 你, and a comma or a particle between its letters."""
    letters = ["[你您]" if letter in "你您" else re.escape(letter) for letter in phrase]
    return _BETWEEN.join(letters)


def _wanted(group: str, key: str, table: Mapping[str, Any]) -> WantedWording:
    where = f"{group}.{key}"
    texts = strings_of(FILE, where, table, "patterns")
    surname = default_rules().surname_pattern
    pattern = pattern_of(FILE, where, "patterns", [text.replace("{surname}", surname) for text in texts])
    if not texts:
        raise RuleFileError("needs patterns", file=FILE, table=where)
    return WantedWording(key=key, label=_label(where, table), pattern=pattern)


def _sounds(
    table: Mapping[str, Any], never: Mapping[str, Any]
) -> Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]:
    words = strings_of(FILE, "sounds", _table(table, "", "sounds"), "words")
    short = next((word for word in words if len(word) < 2), None)
    if short is not None:
        problem = f"words: {short!r} is too short to be told by its sound; two letters at least"
        raise RuleFileError(problem, file=FILE, table="sounds", key="words", item=f'"{short}"')
    phrases = (phrase for key in never for phrase in strings_of(FILE, f"never.{key}", never[key], "phrases"))
    by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for word in _longest_first({*words, *(phrase for phrase in phrases if len(phrase) >= SHORTEST_SOUND)}):
        sound = syllables_of(word)
        by_first.setdefault(sound[0], []).append((sound, word))
    return {first: tuple(found) for first, found in by_first.items()}


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(words, key=lambda word: (-len(word), word))


def _limits(table: Mapping[str, Any]) -> Limits:
    values: dict[str, Any] = {}
    for field in fields(Limits):
        value = table.get(field.name)
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            problem = f"{field.name} must be a number above zero, not {value!r}"
            raise RuleFileError(problem, file=FILE, table="measures", key=field.name)
        values[field.name] = value
    unknown = sorted(set(table) - set(values))
    if unknown:
        raise RuleFileError(f"there is no measure {unknown[0]}", file=FILE, table="measures", key=unknown[0])
    return Limits(**values)


def _label(where: str, table: Mapping[str, Any]) -> Label:
    return Label(zh=label_of(FILE, where, table, "zh"), en=label_of(FILE, where, table, "en"))


def _pattern(where: str, table: Mapping[str, Any], key: str) -> re.Pattern[str]:
    return pattern_of(FILE, where, key, strings_of(FILE, where, table, key))


def _table(table: Mapping[str, Any], where: str, name: str) -> Mapping[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise RuleFileError("must be a table", file=FILE, table=where, key=name)
    return found
