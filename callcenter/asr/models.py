"""Speech models on this machine: which there are, fetching one, and whether one works."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from callcenter.asr.download import DownloadProgress, download, sha256_of
from callcenter.asr.engine import EngineSettings, check_model_files
from callcenter.asr.errors import ModelDownloadFailed, ModelError
from callcenter.asr.manifest import ModelEntry, find_entry, read_manifest
from callcenter.asr.unpacking import remove, unpack

_SIZE_SLACK = 1.5
"""The manifest's sizes are rounded; a server that sends half as much again sends something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedModel:
    entry: ModelEntry
    path: Path
    installed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCheck:
    """`problem` is None for a model that loads and decodes; else one sentence with the remedy."""

    path: Path
    problem: str | None
    sample_rate_hz: int | None = None
    load_seconds: float | None = None
    memory_bytes: int | None = None


def list_models(models_folder: Path) -> tuple[ListedModel, ...]:
    """Every model of the manifest. Raises ManifestInvalid."""
    entries = read_manifest(models_folder).values()
    paths = {entry.name: models_folder / entry.name for entry in entries}
    return tuple(
        ListedModel(entry=entry, path=paths[entry.name], installed=paths[entry.name].is_dir()) for entry in entries
    )


async def get_model(models_folder: Path, name: str, *, progress: DownloadProgress | None = None) -> Path:
    """Fetch, check and unpack a model; returns its folder, at once if it is there already.

    Raises UnknownModel, ModelDownloadFailed, UnsafeArchive, ModelBroken.
    """
    entry = find_entry(models_folder, name)
    target = models_folder / name
    if target.is_dir():
        return target
    if entry.address is None:
        raise ModelDownloadFailed(f"{name} is part of the project and cannot be fetched: restore {target}")
    archive = models_folder / f".{name}.zip.part"
    largest_bytes = int(entry.size_bytes * _SIZE_SLACK)
    await download(entry.address, archive, largest_bytes=largest_bytes, progress=progress)
    await asyncio.to_thread(_install, entry, archive, target)
    return target


def _install(entry: ModelEntry, archive: Path, target: Path) -> None:
    """Into place in one step, and only when whole; an archive that proves wrong is not kept."""
    fresh = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", dir=target.parent))
    try:
        sha256 = sha256_of(archive)
        if entry.sha256 is not None and sha256 != entry.sha256.lower():
            raise ModelDownloadFailed(
                f"{entry.name} has the checksum {sha256}, not {entry.sha256} as in the manifest: fetch it again"
            )
        model = unpack(archive, fresh, largest_bytes=entry.unpacked_bytes)
        check_model_files(EngineSettings(model_path=model, engine=entry.engine))
        origin = {"name": entry.name, "address": entry.address, "sha256": sha256}
        (model / "source.json").write_text(json.dumps(origin, indent=2), encoding="utf-8")
        model.chmod(0o755)
        os.rename(model, target)
    finally:
        archive.unlink(missing_ok=True)
        remove(fresh)


async def check_model(settings: EngineSettings, *, deadline_seconds: float = 180.0) -> ModelCheck:
    """Load the model in a process of its own and let it decode a moment of sound."""
    path = settings.model_path
    try:
        check_model_files(settings)
    except ModelError as error:
        return ModelCheck(path=path, problem=str(error))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "callcenter.asr.model_check", str(path), settings.engine, settings.language),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(), deadline_seconds)
    except TimeoutError:
        return ModelCheck(path=path, problem=f"not loaded after {deadline_seconds:.0f} s: try a smaller model")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return _verdict(path, child.returncode or 0, out, err)


def _verdict(path: Path, exit_code: int, out: bytes, err: bytes) -> ModelCheck:
    if exit_code == 0:
        found = json.loads(out)
        return ModelCheck(path=path, problem=found.pop("problem"), **found)
    last_words = err.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
    ending = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    return ModelCheck(
        path=path, problem=f"the engine crashed on {path} ({ending}: {last_words[0]}): install the model anew"
    )
