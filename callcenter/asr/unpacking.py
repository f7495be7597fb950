"""Unpack a model's archive without trusting it."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from callcenter.asr.errors import ModelDownloadFailed, UnsafeArchive

_MOST_FILES = 2000
_COPY_BYTES = 1 << 20


def unpack(archive: Path, folder: Path, *, largest_bytes: int) -> Path:
    """Unpack into the empty `folder`; returns the model's folder in it. Raises UnsafeArchive, ModelDownloadFailed."""
    try:
        with zipfile.ZipFile(archive) as files:
            members = files.infolist()
            _check(members, largest_bytes)
            left = largest_bytes
            for member in members:
                left -= _extract(files, member, folder, left)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ModelDownloadFailed(f"{archive.name} is not a whole zip archive ({error}): fetch it again") from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _check(members: list[zipfile.ZipInfo], largest_bytes: int) -> None:
    if len(members) > _MOST_FILES:
        raise UnsafeArchive(f"the archive holds {len(members)} files, more than any model: refused")
    if sum(member.file_size for member in members) > largest_bytes:
        raise UnsafeArchive(f"the archive unpacks to more than {largest_bytes} bytes: refused")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise UnsafeArchive(f"the archive would write to {member.filename!r}, outside its folder: refused")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeArchive(f"the archive holds a link or device, {member.filename!r}: refused")


def _extract(files: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, left: int) -> int:
    """Bytes written, counted as they come: the sizes stated in an archive may lie."""
    target = folder / PurePosixPath(member.filename)
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with files.open(member) as source, target.open("xb") as out:
        while piece := source.read(_COPY_BYTES):
            written += len(piece)
            if written > left:
                raise UnsafeArchive("the archive unpacks to more than it states: refused")
            out.write(piece)
    return written


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
