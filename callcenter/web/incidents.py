"""An incident as a page shows it: what and where, how it stands, its history in sentences."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.db.incidents import IncidentHistoryRow, IncidentRow
from callcenter.domain.incidents import IncidentAction, IncidentState
from callcenter.domain.tickets import Place
from callcenter.web.deadlines import Standing
from callcenter.web.names import Names
from callcenter.web.rendering import Reader

SHAPES = {
    IncidentState.SUGGESTED: "und",
    IncidentState.OPEN: "late",
    IncidentState.SOLVED: "ok",
    IncidentState.DISMISSED: "none",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentLineOfHistory:
    at: datetime
    by: str
    by_machine: bool
    words: str
    quote: str | None


def incident_title(incident: IncidentRow, reader: Reader) -> str:
    """3栋 电梯, 全区 停水."""
    place = Place(estate=incident.estate, phase=incident.phase, lane=incident.lane, building=incident.building)
    return f"{place.written() or reader.catalog.gettext('全区')} {thing_words(incident, reader)}"


def thing_words(incident: IncidentRow, reader: Reader) -> str:
    if incident.thing == incident.category:
        return reader.labels("category", incident.category)
    return reader.labels("thing", incident.thing)


def incident_standing(incident: IncidentRow, reader: Reader) -> Standing:
    state = IncidentState(incident.state)
    return Standing(kind=SHAPES[state], words=reader.labels("incident", state))


def incident_history(rows: tuple[IncidentHistoryRow, ...], reader: Reader, named: Names) -> list[IncidentLineOfHistory]:
    return [
        IncidentLineOfHistory(
            at=row.at,
            by=named(row.actor),
            by_machine=row.actor == "system",
            words=_words(row, reader),
            quote=str(row.data["text"]) if row.data.get("text") else None,
        )
        for row in rows
    ]


def _words(row: IncidentHistoryRow, reader: Reader) -> str:
    say, by_machine = reader.catalog.gettext, row.actor == "system"
    match row.action:
        case IncidentAction.SUGGESTED:
            return say("多户报同样的事，疑似同一事件，请人确认。")
        case IncidentAction.OPENED:
            return say("户数够多，记为同一事件。") if by_machine else say("确认是同一事件。")
        case IncidentAction.LINKED:
            return say("工单 %(number)s 归入。", number=row.data.get("ticket", ""))
        case IncidentAction.TAKEN_OUT:
            return say("工单 %(number)s 移出。", number=row.data.get("ticket", ""))
        case IncidentAction.DISMISSED:
            return say("户数不够了，不再疑似。") if by_machine else say("不是同一事件，各自办理。")
        case IncidentAction.RESTORED:
            return say("恢复为事件。")
        case IncidentAction.SOLVED:
            return say("已解决，%(homes)s 户各回访一次。", homes=row.data.get("homes", ""))
        case IncidentAction.REOPENED:
            return say("没有真正解决，重新打开。")
        case _:
            return row.action
