"""The wall board in words and drawings: read once for all screens, drawn once a language."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from callcenter.domain.agent_states import AgentNow, AgentState, Doing
from callcenter.domain.rings import RingRule
from callcenter.reports.wall import WallBoard, read_wall
from callcenter.web.fields import written
from callcenter.web.keys import ASSETS, CLOCK, DATABASE, DUTY, SETTINGS
from callcenter.web.live import FEED
from callcenter.web.rendering import Reader

MOST_AGENTS = 7
MOST_RINGING = 4
"""So many lines of the smallest readable size fit a screen; the rest is told as a number."""

OLDEST_SECONDS = 5.0
ORDER = (Doing.RINGING, Doing.TALKING, Doing.WRAP_UP, Doing.BUSY, Doing.AWAY, Doing.READY)


@dataclass
class WallFeed:
    """The newest board; whatever changed, it is read at most once."""

    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _board: WallBoard | None = None
    _of: object = None

    async def board(self, app: web.Application) -> WallBoard:
        """As it stands: read again when something changed, and after a few seconds. Raises what the database raises."""
        async with self._lock:
            beat = int(asyncio.get_running_loop().time() / OLDEST_SECONDS)
            of = (app[FEED].changes, beat)
            if self._board is None or of != self._of:
                now = app[CLOCK].now()
                midnight = now.astimezone(app[SETTINGS].zone).replace(hour=0, minute=0, second=0, microsecond=0)
                self._board, self._of = await read_wall(app[DATABASE], now=now, day_began=midnight), of
        return self._board


WALL = web.AppKey("callcenter.web.wall", WallFeed)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentLine:
    """`since` is None where it does not matter for how long; `rings_since`: since when the caller hears ringing."""

    name: str
    doing: str
    words: str
    since: datetime | None
    rings_since: datetime | None = None


def wall_context(app: web.Application, board: WallBoard, reader: Reader) -> dict[str, Any]:
    """What the board's template needs; nothing in it tells of a resident."""
    settings = app[SETTINGS]
    names = {agent.id: agent.name for agent in settings.agents}
    doing = [one for one in (app[DUTY].doing(agent.id) for agent in settings.agents) if one is not None]

    def began(heard_ms: int) -> datetime:
        """As if it had rung without a pause: a screen counts on from here by itself."""
        return board.at - timedelta(milliseconds=heard_ms)

    rings = {one.call_id: began(one.heard_ms) for one in board.ringing}
    lines = [_line(one, names, rings, reader) for one in sorted(doing, key=lambda one: ORDER.index(one.doing))]
    say = reader.catalog.gettext
    counted = [(one, sum(now.doing is one for now in doing)) for one in Doing]
    return {
        "board": board,
        "share": board.share,
        "target": settings.answering.target,
        "agents": lines if len(lines) <= MOST_AGENTS else lines[: MOST_AGENTS - 1],
        "more_agents": max(0, len(lines) - MOST_AGENTS + 1) if len(lines) > MOST_AGENTS else 0,
        "counted": [(reader.labels("doing", one), count) for one, count in counted if count],
        "nobody_ready": bool(doing) and not any(now.state is AgentState.READY for now in doing),
        "rule": RingRule(cycle_ms=round(settings.rings.cycle_seconds * 1000), rings=settings.rings.rings),
        "ms": lambda at: round(at.timestamp() * 1000),
        "ringing": [
            (began(one.heard_ms), say("、").join(names.get(agent, say("备用号码")) for agent in one.agents))
            for one in board.ringing[:MOST_RINGING]
        ],
        "more_ringing": max(0, len(board.ringing) - MOST_RINGING),
        "overdue_what": _overdue(board, names, reader),
    }


def wall_clock(app: web.Application, reader: Reader) -> dict[str, Any]:
    """The server's time for a screen whose own may be wrong, and the version whose change asks for a fresh page."""
    offset = reader.formats.local(reader.now).utcoffset()
    return {
        "now": round(reader.now.timestamp() * 1000),
        "offset_minutes": round(offset.total_seconds() / 60) if offset else 0,
        "version": app[ASSETS].url("js/wall.js"),
    }


def _line(one: AgentNow, names: dict[str, str], rings: dict[str, datetime], reader: Reader) -> AgentLine:
    return AgentLine(
        name=names[one.agent],
        doing=one.doing.value,
        words=reader.labels("doing", one.doing),
        since=one.since if one.doing is not Doing.READY else None,
        rings_since=rings.get(one.call_id or "") if one.doing is Doing.RINGING else None,
    )


def _overdue(board: WallBoard, names: dict[str, str], reader: Reader) -> str:
    """5栋电梯，周洁: the building, the matter and who owns it, never the home."""
    if board.overdue is None:
        return ""
    one, say = board.overdue, reader.catalog.gettext
    where = say("%(building)s栋", building=one.building) if one.building else ""
    matter = written("category", one.category, reader) or written("request_type", one.request_type, reader)
    what = f"{where}{matter}" if reader.catalog.language == "zh" else f"{where} {matter}".strip()
    owner = names.get(one.owner or "", "") or (say("无人认领") if not one.owner else one.owner)
    return say("，").join(part for part in (what, owner) if part)
