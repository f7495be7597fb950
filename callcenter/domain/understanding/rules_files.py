"""Reads the rule files, the package's or an operator's; the only module here that touches a file."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from callcenter.domain.rule_file import RuleFileError, label_of, parsed, pattern_of, strings_of, text_of_file
from callcenter.domain.tickets import RequestType
from callcenter.domain.understanding.danger import REMOTE, Affirmed, Combination, DangerWording
from callcenter.domain.understanding.rules import Category, Dialect, RequestWording, Rules, UrgencyWording

FILES = ("categories", "request_types", "urgency", "danger", "surnames", "dialects")

_CATEGORY_POINTS = {"strong": 3, "words": 2, "weak": 1}
_REQUEST_POINTS = {"explicit": 5, "words": 2, "weak": 1}


@cache
def default_rules() -> Rules:
    """The rules that come with the product."""
    return _read(_built_in())


def _built_in() -> dict[str, tuple[str, str]]:
    """File name to (path as shown, text)."""
    folder = files(__package__) / "data"
    return {name: (f"{name}.toml", (folder / f"{name}.toml").read_text("utf-8")) for name in FILES}


def built_in_text(name: str) -> str:
    return _built_in()[name][1]


def rules_with(folder: Path, name: str, text: str) -> Rules:
    """The rules of an operator's folder with this text in place of one file; raises RuleFileError with the line."""
    others = (one for one in FILES if one != name and (folder / f"{one}.toml").is_file())
    own = {one: text_of_file(folder / f"{one}.toml") for one in others}
    return _read(_built_in() | own | {name: (f"{name}.toml", text)})


class RuleFolder:
    """The product's rules, each file replaced by the one of the same name in an operator's folder, if it is there.

    `current()` reads again when a file has changed. A mistake in a changed file leaves the rules as they were;
    `problem` says what is wrong until it is mended.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._stamps: dict[str, tuple[int, int]] | None = None
        self._rules: Rules | None = None
        self.problem: RuleFileError | None = None

    def current(self) -> Rules:
        """Raises RuleFileError only where there never were rules without a mistake."""
        if self._folder is None:
            return default_rules()
        stamps = self._stamps_now(self._folder)
        if not stamps:
            self._stamps, self._rules, self.problem = None, default_rules(), None
            return self._rules
        if stamps != self._stamps:
            self._stamps = stamps
            self._read_again(self._folder, stamps)
        if self._rules is None:
            raise self.problem or RuleFileError("there are no rules", file=str(self._folder))
        return self._rules

    def _stamps_now(self, folder: Path) -> dict[str, tuple[int, int]]:
        stamps = {}
        for name in FILES:
            try:
                found = (folder / f"{name}.toml").stat()
            except OSError:
                continue
            stamps[name] = (found.st_mtime_ns, found.st_size)
        return stamps

    def _read_again(self, folder: Path, names: Mapping[str, object]) -> None:
        try:
            own = {name: text_of_file(folder / f"{name}.toml") for name in names}
            self._rules = _read(_built_in() | own)
            self.problem = None
        except RuleFileError as error:
            self.problem = error


def _read(texts: Mapping[str, tuple[str, str]]) -> Rules:
    tables = {name: parsed(path, text) for name, (path, text) in texts.items()}
    try:
        return rules_from(tables)
    except RuleFileError as error:
        path, text = texts[error.file]
        raise error.located(error.file, text, path) from error


def rules_from(tables: Mapping[str, Mapping[str, Any]]) -> Rules:
    """Rules from the parsed files, by name; raises RuleFileError. `danger` and `dialects` may be left out."""
    surnames = tables["surnames"]
    return Rules(
        categories=tuple(
            _category(key, table) for key, table in tables["categories"].items() if isinstance(table, dict)
        ),
        neutral_words=tuple(strings_of("categories", "", tables["categories"], "neutral")),
        requests=tuple(_request(key, table) for key, table in tables["request_types"].items()),
        urgency=_urgency(tables["urgency"], _danger(tables.get("danger", {}))),
        surnames=(*strings_of("surnames", "", surnames, "compound"), *dict.fromkeys(str(surnames.get("single", "")))),
        dialects=tuple(_dialect(key, tables["dialects"]) for key in tables.get("dialects", {})),
        spelled_surnames={str(spelled): str(name) for spelled, name in surnames.get("spelled", {}).items()},
    )


def _category(key: str, table: Mapping[str, Any]) -> Category:
    points = {
        word: count
        for kind, count in reversed(_CATEGORY_POINTS.items())
        for word in strings_of("categories", key, table, kind)
    }
    return Category(
        key=key,
        zh=label_of("categories", key, table, "zh"),
        en=label_of("categories", key, table, "en"),
        points=points,
        usual_request=_usual_request(key, table),
    )


def _usual_request(key: str, table: Mapping[str, Any]) -> RequestType | None:
    name = table.get("usual")
    try:
        return None if name is None else RequestType(name)
    except ValueError as error:
        known = ", ".join(RequestType)
        problem = f"usual {name!r} is no request type; there are {known}"
        raise RuleFileError(problem, file="categories", table=key, key="usual") from error


def _request(key: str, table: Any) -> RequestWording:
    try:
        request_type = RequestType(key)
    except ValueError as error:
        known = ", ".join(RequestType)
        problem = f"is no request type; there are {known}"
        raise RuleFileError(problem, file="request_types", table=key) from error
    patterns = tuple(
        (pattern_of("request_types", key, kind, [text]), count)
        for kind, count in _REQUEST_POINTS.items()
        for text in strings_of("request_types", key, table, kind)
    )
    return RequestWording(
        request_type=request_type,
        zh=label_of("request_types", key, table, "zh"),
        en=label_of("request_types", key, table, "en"),
        patterns=patterns,
    )


def _dialect(key: str, tables: Mapping[str, Any]) -> Dialect:
    table = _table("dialects", tables, key)
    return Dialect(
        key=key,
        zh=label_of("dialects", key, table, "zh"),
        en=label_of("dialects", key, table, "en"),
        words=tuple(
            pattern_of("dialects", key, "words", [text]) for text in strings_of("dialects", key, table, "words")
        ),
    )


def _urgency(written: Mapping[str, Any], combined: DangerWording) -> UrgencyWording:
    table = _with_terms(written)

    def kinds(name: str) -> dict[str, re.Pattern[str]]:
        part = _table("urgency", table, name)
        return {kind: pattern_of("urgency", name, kind, strings_of("urgency", name, part, kind)) for kind in part}

    sounds = _table("urgency", table, "sounds")
    return UrgencyWording(
        masked=pattern_of("urgency", "", "masked", strings_of("urgency", "", table, "masked")),
        denied=_before("denied", strings_of("urgency", "", table, "denied")),
        feared=_before("feared", strings_of("urgency", "", table, "feared")),
        calm=pattern_of("urgency", "", "calm", strings_of("urgency", "", table, "calm")),
        sounds={kind: tuple(strings_of("urgency", "sounds", sounds, kind)) for kind in sounds},
        danger=kinds("danger"),
        urgent=kinds("urgent"),
        combined=combined,
    )


def _danger(table: Mapping[str, Any]) -> DangerWording:
    words = _table("danger", table, "words")
    classes: dict[str, re.Pattern[str]] = {}
    terms: dict[str, str] = {}
    for name in words:
        texts = [_expanded(text, terms) for text in strings_of("danger", "words", words, name)]
        classes[name] = pattern_of("danger", "words", name, texts)
        terms[f"{{{name}}}"] = "|".join(texts)
    return DangerWording(
        combinations=tuple(_combination(entry, classes) for entry in _entries(table, "danger")),
        asked=tuple(_asked(entry, classes) for entry in _entries(table, "asked")),
        remote=classes.get(REMOTE),
        classes=classes,
    )


def _entries(table: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = table.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleFileError(f"must be written [[{name}]]", file="danger", table=name)
    return entries


def _combination(entry: Mapping[str, Any], classes: Mapping[str, re.Pattern[str]]) -> Combination:
    within = entry.get("within", 0)
    if not isinstance(within, int) or not 0 <= within <= 200:
        raise RuleFileError(f"within {within!r}: a number of letters up to 200", file="danger", table="danger")
    parts = _classes(entry, "all", classes)
    if not parts:
        raise RuleFileError("all: needs at least one class of [words]", file="danger", table="danger")
    return Combination(
        kind=str(entry.get("kind", "")),
        parts=parts,
        within=within,
        unless=_classes(entry, "unless", classes),
        dreaded=entry.get("dreaded") is True,
    )


def _classes(entry: Mapping[str, Any], key: str, classes: Mapping[str, re.Pattern[str]]) -> tuple[re.Pattern[str], ...]:
    names = strings_of("danger", "danger", entry, key)
    for name in names:
        if name not in classes:
            problem = f"{key}: there is no class {name!r} in [words]"
            raise RuleFileError(problem, file="danger", table="danger", item=f'"{name}"')
    return tuple(classes[name] for name in names)


def _asked(entry: Mapping[str, Any], classes: Mapping[str, re.Pattern[str]]) -> Affirmed:
    named = entry.get("named")
    if named is not None and named not in classes:
        problem = f"named: there is no class {named!r} in [words]"
        raise RuleFileError(problem, file="danger", table="asked", item=str(named))
    return Affirmed(
        kind=str(entry.get("kind", "")),
        question=pattern_of("danger", "asked", "question", strings_of("danger", "asked", entry, "question")),
        yes=pattern_of("danger", "asked", "yes", strings_of("danger", "asked", entry, "yes")),
        named=classes[named] if named is not None else None,
    )


def _table(file: str, table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, dict):
        raise RuleFileError("must be a table", file=file, key=name)
    return found


def _with_terms(table: Mapping[str, Any]) -> dict[str, Any]:
    """The patterns with {person}, {lift} and so on put in from [terms]."""
    named = _table("urgency", table, "terms")
    terms = {f"{{{name}}}": "|".join(strings_of("urgency", "terms", named, name)) for name in named}

    def expanded(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expanded(inner) for key, inner in value.items()}
        if not isinstance(value, list):
            return value
        return [_expanded(text, terms) if isinstance(text, str) else text for text in value]

    return {key: value if key == "terms" else expanded(value) for key, value in table.items()}


def _expanded(text: str, terms: Mapping[str, str]) -> str:
    for name, words in terms.items():
        text = text.replace(name, f"(?:{words})")
    return text


def _before(key: str, texts: list[str]) -> re.Pattern[str]:
    """Matches a text that ends with one of these and at most three more letters."""
    pattern_of("urgency", "", key, texts)
    return re.compile(f"(?:{'|'.join(texts)})[^，。,;；！!？?]{{0,3}}$")
