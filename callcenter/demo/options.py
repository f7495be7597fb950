"""How a demonstration is to be played, and what may end it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console


@dataclass(frozen=True, kw_only=True)
class Options:
    once: bool
    calls: Path
    as_json: bool
    console: Console


@dataclass(kw_only=True)
class Signals:
    """`serving`: the calls are over and the console is kept open, so that being stopped is no interruption."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    serving: bool = False
