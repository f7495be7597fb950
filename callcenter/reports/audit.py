"""The audit log: who looked at or changed what, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.users import AuditRow

PAGE_SIZE = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPage:
    """`older` is where the next page begins; None where there is none."""

    rows: tuple[AuditRow, ...]
    logins: tuple[str, ...]
    actions: tuple[str, ...]
    older: int | None


async def read_audit(
    database: Database, *, login: str = "", action: str = "", subject: str = "", before: int | None = None
) -> AuditPage:
    """`subject` is a beginning, as ticket:GD-1124-0001."""
    query = select(AuditRow).order_by(AuditRow.id.desc()).limit(PAGE_SIZE + 1)
    for column, value in ((AuditRow.login, login), (AuditRow.action, action)):
        if value:
            query = query.where(column == value)
    if subject:
        query = query.where(AuditRow.subject.contains(subject, autoescape=True))
    if before is not None:
        query = query.where(AuditRow.id < before)
    async with database.read() as session:
        rows: Sequence[AuditRow] = (await session.scalars(query)).all()
        logins = (await session.scalars(select(AuditRow.login).distinct().order_by(AuditRow.login))).all()
        actions = (await session.scalars(select(AuditRow.action).distinct().order_by(AuditRow.action))).all()
    shown = tuple(rows[:PAGE_SIZE])
    return AuditPage(
        rows=shown,
        logins=tuple(logins),
        actions=tuple(actions),
        older=shown[-1].id if len(rows) > PAGE_SIZE else None,
    )
