"""Spoken texts are kept as files named by a hash, as long as somebody uses them."""

import os
import re
import time
from pathlib import Path

OURS = re.compile(r"[0-9a-f]{32}\.wav")


def is_kept(file: Path) -> bool:
    """Whether it is there; its time of access says that it is used."""
    try:
        os.utime(file, ns=(time.time_ns(), file.stat().st_mtime_ns))
    except FileNotFoundError:
        return False
    except PermissionError:  # another user's, who keeps it
        return True
    return True


def forget_unused(folder: Path, *, seconds: float) -> int:
    """Removes what nobody has used for so long, and nothing that another has put there; how many. Raises OSError."""
    oldest, gone = time.time() - seconds, 0
    for file in folder.glob("*.wav"):
        if OURS.fullmatch(file.name) and file.stat().st_atime < oldest:
            file.unlink(missing_ok=True)
            gone += 1
    return gone
