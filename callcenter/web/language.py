"""The two languages of the console. Message ids are the Chinese words, so only English needs a catalogue.

The .po file is what people edit; it is compiled in memory at start, so that the two can never differ.
"""

import functools
import gettext
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from math import inf
from pathlib import Path
from typing import Any

from aiohttp import web
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from callcenter.domain.rule_file import RuleFileError
from callcenter.domain.understanding.rules import Rules
from callcenter.domain.understanding.rules_files import RuleFolder, default_rules

LANGUAGES = ("zh", "en")
HTML_LANGUAGE = {"zh": "zh-CN", "en": "en"}
COOKIE = "callcenter_language"
LOCALE = Path(__file__).parent / "locale"


def N_(words: str) -> str:  # noqa: N802 - gettext's own name for "to be translated later"
    """Marks words for the catalogue where they stand in a table."""
    return words


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One language's words; `rules` are those whose categories and dialects carry their names themselves."""

    language: str
    translations: gettext.NullTranslations
    rules: Callable[[], Rules] = default_rules

    @property
    def html_language(self) -> str:
        return HTML_LANGUAGE[self.language]

    def gettext(self, words: str, **values: object) -> str:
        found = self.translations.gettext(words)
        return found % values if values else found

    def ngettext(self, words: str, plural: str, number: int, **values: object) -> str:
        found = self.translations.ngettext(words, plural, number)
        return found % {"num": number, **values}


def load_catalogs(rules: Callable[[], Rules] = default_rules) -> dict[str, Catalog]:
    return {
        language: Catalog(language=language, translations=_translations(language), rules=rules)
        for language in LANGUAGES
    }


def names_of(folder: RuleFolder, seconds: Callable[[], float] = time.monotonic) -> Callable[[], Rules]:
    """The folder's rules, looked at once a second: a page asks a hundred times. The built-in ones where it has none."""
    found, looked_at = default_rules(), -inf

    def rules() -> Rules:
        nonlocal found, looked_at
        if seconds() - looked_at >= 1:
            looked_at = seconds()
            try:
                found = folder.current()
            except RuleFileError:
                found = default_rules()
        return found

    return rules


@functools.cache
def _translations(language: str) -> gettext.NullTranslations:
    path = LOCALE / language / "LC_MESSAGES" / "console.po"
    if not path.is_file():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalog = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def asked_language(request: web.Request, *, of_user: str | None, default: str) -> str:
    """The switch in the address, then the user's own choice, then the browser's cookie, then the default."""
    wishes: tuple[Any, ...] = (request.query.get("lang"), of_user, request.cookies.get(COOKIE), default)
    return next((wish for wish in wishes if wish in LANGUAGES), default)


def spoken(labels: Mapping[str, str], language: str, key: str) -> str:
    """A label that carries both languages itself, else its key."""
    return labels.get(language) or key
