"""Fetching models from a server that cuts, lies and attacks; checking what is on disk."""

import hashlib
import io
import shutil
import stat
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from callcenter.asr import download as download_module
from callcenter.asr.engine import EngineSettings
from callcenter.asr.errors import ModelDownloadFailed, UnknownModel, UnsafeArchive
from callcenter.asr.manifest import ManifestInvalid
from callcenter.asr.models import check_model, get_model, list_models

from .conftest import ROOT


@dataclass
class Publisher:
    """Serves one archive with ranges; the first `cuts` answers stop half-way."""

    archive: bytes = b""
    cuts: int = 0
    ignores_ranges: bool = False
    ranges: list[str | None] = field(default_factory=list)
    address: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not self.ignores_ranges else 0
        if start >= len(self.archive):
            return web.Response(status=416)
        rest = self.archive[start:]
        response = web.StreamResponse(status=206 if start else 200, headers={"ETag": '"one"'})
        response.content_length = len(rest)
        await response.prepare(request)
        if self.cuts:
            self.cuts -= 1
            await response.write(rest[: len(rest) // 2])
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(rest)
        return response


@pytest.fixture
async def publisher(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    monkeypatch.setattr(download_module, "_PAUSE_SECONDS", 0.01)
    published = Publisher()
    app = web.Application()
    app.router.add_get("/model.zip", published.serve)
    async with TestServer(app) as server:
        published.address = str(server.make_url("/model.zip"))
        yield published


@pytest.fixture(scope="session")
def good_archive(demo_model: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(demo_model.rglob("*")):
            archive.write(path, Path("some-model") / path.relative_to(demo_model))
    return buffer.getvalue()


Manifest = Callable[..., Path]


@pytest.fixture
def manifest(tmp_path: Path, publisher: Publisher) -> Manifest:
    def write(archive: bytes, *, sha256: str | None = None, unpacked_bytes: int = 50_000_000) -> Path:
        publisher.archive = archive
        lines = [
            '["zh-model-1.0"]',
            'engine = "vosk"',
            f'address = "{publisher.address}"',
            f"size_bytes = {max(1000, len(archive))}",
            f"unpacked_bytes = {unpacked_bytes}",
            'licence = "Apache-2.0"',
            "sample_rate_hz = 8000",
            'languages = ["zh"]',
        ]
        if sha256:
            lines.append(f'sha256 = "{sha256}"')
        (tmp_path / "manifest.toml").write_text("\n".join(lines))
        return tmp_path

    return write


def _zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def _nothing_left(folder: Path) -> bool:
    return [path.name for path in folder.iterdir()] == ["manifest.toml"]


async def test_a_model_is_fetched_checked_and_works(manifest: Manifest, good_archive: bytes) -> None:
    folder = manifest(good_archive, sha256=hashlib.sha256(good_archive).hexdigest())
    seen: list[tuple[int, int | None]] = []
    path = await get_model(folder, "zh-model-1.0", progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(good_archive), len(good_archive))
    assert sorted(item.name for item in folder.iterdir()) == ["manifest.toml", "zh-model-1.0"]
    assert [model.installed for model in list_models(folder)] == [True]
    assert (await check_model(EngineSettings(model_path=path))).problem is None


async def test_a_cut_download_goes_on_where_it_stopped(
    manifest: Manifest, good_archive: bytes, publisher: Publisher
) -> None:
    folder = manifest(good_archive, sha256=hashlib.sha256(good_archive).hexdigest())
    publisher.cuts = 2
    await get_model(folder, "zh-model-1.0")
    assert publisher.ranges[0] is None
    assert all(asked and asked.startswith("bytes=") and asked != "bytes=0-" for asked in publisher.ranges[1:])


async def test_a_server_without_ranges_is_asked_for_the_whole_again(
    manifest: Manifest, good_archive: bytes, publisher: Publisher
) -> None:
    folder = manifest(good_archive, sha256=hashlib.sha256(good_archive).hexdigest())
    publisher.cuts, publisher.ignores_ranges = 1, True
    assert (await get_model(folder, "zh-model-1.0")).is_dir()


async def test_a_wrong_checksum_leaves_nothing(manifest: Manifest, good_archive: bytes) -> None:
    folder = manifest(good_archive, sha256="0" * 64)
    with pytest.raises(ModelDownloadFailed, match="checksum"):
        await get_model(folder, "zh-model-1.0")
    assert _nothing_left(folder)


def _link() -> zipfile.ZipInfo:
    link = zipfile.ZipInfo("model/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    return link


@pytest.mark.parametrize(
    "archive",
    [
        _zip(("../outside.txt", b"x")),
        _zip(("/outside.txt", b"x")),
        _zip(("model\\..\\..\\outside.txt", b"x")),
        _zip((_link(), b"/etc/passwd")),
        _zip(("model/zeros", bytes(60_000_000))),
    ],
    ids=["parent", "absolute", "backslash", "symlink", "bomb"],
)
async def test_an_unsafe_archive_is_refused(archive: bytes, manifest: Manifest) -> None:
    folder = manifest(archive)
    with pytest.raises(UnsafeArchive):
        await get_model(folder, "zh-model-1.0")
    assert _nothing_left(folder)
    assert not (folder.parent / "outside.txt").exists()


async def test_a_page_instead_of_an_archive(manifest: Manifest) -> None:
    folder = manifest(b"<html>moved</html>")
    with pytest.raises(ModelDownloadFailed, match="zip"):
        await get_model(folder, "zh-model-1.0")


async def test_unknown_names_and_bad_manifests_are_named(manifest: Manifest, tmp_path: Path) -> None:
    folder = manifest(b"")
    with pytest.raises(UnknownModel, match=r"zh-model-1\.0"):
        await get_model(folder, "other")
    (tmp_path / "manifest.toml").write_text("[broken]\nengine = 'vosk'")
    with pytest.raises(ManifestInvalid, match="broken"):
        list_models(tmp_path)


def test_the_manifest_of_the_project_lists_the_demo_model_as_installed() -> None:
    listed = {model.entry.name: model for model in list_models(ROOT / "models")}
    assert listed["demo-zh"].installed
    assert listed["vosk-model-cn-0.22"].entry.languages == ("zh",)


async def test_check_says_what_is_wrong(demo_model: Path, tmp_path: Path) -> None:
    assert "no speech model" in str((await check_model(EngineSettings(model_path=tmp_path / "none"))).problem)
    broken = tmp_path / "model"
    shutil.copytree(demo_model, broken)
    (broken / "graph/disambig_tid.int").write_text("\n")
    assert "SIGSEGV" in str((await check_model(EngineSettings(model_path=broken))).problem)
    (broken / "graph/Gr.fst").unlink()
    assert "lacks graph/Gr.fst" in str((await check_model(EngineSettings(model_path=broken))).problem)
