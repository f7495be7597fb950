"""The rule files as an administrator edits them in the console: read, tried, saved, given back.

A file of their own lies in the rules' folder and replaces the built-in one of its name; everybody who goes by the rules
reads it again when it changes. What does not hold together with the other files is not saved.
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from callcenter.domain.rule_file import LONGEST_FILE, RuleFileError, text_of_file
from callcenter.domain.service_language import rules_file as language_file
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.understanding import rules_files
from callcenter.domain.understanding.rules import Rules

NAMES = (*rules_files.FILES, language_file.FILE)
_ONE_AT_A_TIME = threading.Lock()
"""Pages are answered in threads: between looking at a file and replacing it nobody else replaces it."""


class RuleTextChanged(Exception):
    """Somebody else has saved this file since it was read."""


class NoRuleTextBefore(Exception):
    """There is no earlier text to go back to."""


class CannotSaveRules(Exception):
    """The folder cannot be written to; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleText:
    """A rule file in force. `version` is of the text; `has_earlier`: one of their own was replaced by the last change.

    `problem`: what is wrong with a file that somebody put there by hand; the rules before it are in force then.
    """

    name: str
    text: str
    version: str
    is_own: bool
    has_earlier: bool
    problem: RuleFileError | None


class RuleTexts:
    """The files of one folder, which is made when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        return self._folder

    def read(self, name: str) -> RuleText:
        """Raises KeyError for a name that is none of `NAMES`."""
        if name not in NAMES:
            raise KeyError(name)
        own = self._path(name).is_file()
        problem = None
        try:
            text = text_of_file(self._path(name))[1] if own else _built_in(name)
            if own:
                self.tried(name, text)
        except RuleFileError as error:
            problem = error
            text = self._path(name).read_bytes()[:LONGEST_FILE].decode("utf-8", "replace")
        return RuleText(
            name=name,
            text=text,
            version=_version(text),
            is_own=own,
            has_earlier=self._earlier(name).is_file(),
            problem=problem,
        )

    def tried(self, name: str, text: str) -> Rules | LanguageRules:
        """The rules with this text in the file's place; raises RuleFileError with the line."""
        if len(text.encode()) > LONGEST_FILE:
            raise RuleFileError(f"larger than {LONGEST_FILE // 1_000_000} MB", file=f"{name}.toml")
        if name == language_file.FILE:
            return language_file.read_language_rules(f"{name}.toml", text)
        return rules_files.rules_with(self._folder, name, text)

    def save(self, name: str, text: str, *, seen: str) -> RuleText:
        """In force at once. `seen` is the version that it was made from; raises RuleFileError, RuleTextChanged."""
        self.tried(name, text)
        with _ONE_AT_A_TIME:
            now = self.read(name)
            if now.version != seen:
                raise RuleTextChanged
            if text != now.text:
                self._replace(name, text, earlier=now.text if now.is_own else None)
            return self.read(name)

    def use_built_in(self, name: str) -> RuleText:
        """Their own text is kept as the earlier one."""
        with _ONE_AT_A_TIME:
            if self._path(name).is_file():
                with _writing(self._folder):
                    os.replace(self._path(name), self._earlier(name))
            return self.read(name)

    def use_earlier(self, name: str) -> RuleText:
        """Changes places with the earlier text; raises NoRuleTextBefore, or RuleFileError where it does not fit now."""
        with _ONE_AT_A_TIME:
            if not self._earlier(name).is_file():
                raise NoRuleTextBefore
            earlier = text_of_file(self._earlier(name))[1]
            self.tried(name, earlier)
            now = self.read(name)
            self._replace(name, earlier, earlier=now.text if now.is_own else None)
            return self.read(name)

    def _replace(self, name: str, text: str, *, earlier: str | None) -> None:
        with _writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            if earlier is None:
                self._earlier(name).unlink(missing_ok=True)
            else:
                _write_whole(self._earlier(name), earlier)
            _write_whole(self._path(name), text)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.toml"

    def _earlier(self, name: str) -> Path:
        return self._folder / f"{name}.toml.earlier"


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turns what the disk says into CannotSaveRules."""
    try:
        yield
    except OSError as error:
        raise CannotSaveRules(f"{folder}: {error.strerror}") from error


def _write_whole(path: Path, text: str) -> None:
    """Whoever reads it meanwhile finds the old file or the new one, never half of it."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=path.parent, delete=False) as file:
        file.write(text)
    try:
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError:
        Path(file.name).unlink(missing_ok=True)
        raise


def _built_in(name: str) -> str:
    if name == language_file.FILE:
        return language_file.built_in_text()
    return rules_files.built_in_text(name)


def _version(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
