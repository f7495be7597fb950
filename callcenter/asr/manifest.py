"""The list of speech models that can be fetched: `models/manifest.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callcenter.asr.errors import ModelError, UnknownModel

MANIFEST_NAME = "manifest.toml"
_LARGEST_UNPACKED_BYTES = 8 * 10**9


class ManifestInvalid(ModelError):
    """The manifest cannot be read; the message names the file, the entry and the key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelEntry:
    """`address` is None for a model that comes with the project; `sha256` is None where nobody publishes it."""

    name: str
    engine: str
    size_bytes: int
    licence: str
    sample_rate_hz: int
    languages: tuple[str, ...]
    address: str | None = None
    sha256: str | None = None
    unpacked_bytes: int = _LARGEST_UNPACKED_BYTES
    note: str = ""


def read_manifest(models_folder: Path) -> dict[str, ModelEntry]:
    path = models_folder / MANIFEST_NAME
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ManifestInvalid(f"there is no {path}: point `models_folder` to the folder that has it") from error
    except tomllib.TOMLDecodeError as error:
        raise ManifestInvalid(f"{path} is not valid TOML: {error}") from error
    return {name: _entry(path, name, table) for name, table in tables.items()}


def find_entry(models_folder: Path, name: str) -> ModelEntry:
    entries = read_manifest(models_folder)
    if name not in entries:
        raise UnknownModel(f"no model {name!r} in {models_folder / MANIFEST_NAME}; it has {', '.join(entries)}")
    return entries[name]


def _entry(path: Path, name: str, table: Any) -> ModelEntry:
    if Path(name).name != name or name.startswith("."):
        raise ManifestInvalid(f"{path}: {name!r} cannot be the name of a folder")
    try:
        return ModelEntry(name=name, **{**table, "languages": tuple(table["languages"])})
    except (TypeError, KeyError) as error:
        raise ManifestInvalid(f"{path}: the entry [{name}] has a wrong or missing key: {error}") from error
