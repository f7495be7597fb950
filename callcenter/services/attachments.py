"""Files on a ticket. What a file is, is read from its bytes: neither its name nor what the browser says is believed."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from callcenter.db.attachments import AttachmentRow
from callcenter.db.engine import Database
from callcenter.db.tickets import TicketRow
from callcenter.db.users import AuditRow
from callcenter.domain.ticket_life import HistoryAction
from callcenter.services.ticket_history import write_history
from callcenter.services.tickets import NoSuchTicket

LARGEST_BYTES = 10 * 1024 * 1024
MOST_A_TICKET = 20
LONGEST_NAME = 120
_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg", ".jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", ".png"),
    (b"%PDF-", "application/pdf", ".pdf"),
)


class FileRefused(Exception):
    """The file cannot be kept."""


class UnknownKind(FileRefused):
    """Neither a photograph that browsers show nor a PDF."""


class TooLarge(FileRefused):
    """More bytes than a ticket's file may have."""


class TooMany(FileRefused):
    """The ticket has as many files as it may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file as it came: its name and its bytes."""

    name: str
    content: bytes

    @property
    def kind(self) -> tuple[str, str]:
        """Content type and ending. Raises UnknownKind."""
        if self.content[:4] == b"RIFF" and self.content[8:12] == b"WEBP":
            return "image/webp", ".webp"
        for begins, content_type, ending in _KINDS:
            if self.content.startswith(begins):
                return content_type, ending
        raise UnknownKind

    @property
    def shown_name(self) -> str:
        """Without a folder and without what is not printed; never empty."""
        last = self.name.replace("\\", "/").rsplit("/", 1)[-1]
        return "".join(char for char in last if char.isprintable()).strip()[-LONGEST_NAME:] or f"file{self.kind[1]}"


async def attach(
    database: Database, folder: Path, file: File, *, number: str, actor: str, now: datetime
) -> AttachmentRow:
    """Keeps a file and writes it into the history; it overwrites nothing, so that no version is asked for.

    Raises FileRefused, NoSuchTicket.
    """
    if not 0 < len(file.content) <= LARGEST_BYTES:
        raise TooLarge
    content_type, ending = file.kind
    path = f"{number}/{secrets.token_hex(8)}{ending}"
    await asyncio.to_thread(_write, folder / path, file.content)
    try:
        async with database.write() as session:
            ticket = await _ticket(session, number)
            kept = select(func.count()).select_from(AttachmentRow).where(AttachmentRow.ticket_id == ticket.id)
            if (await session.execute(kept)).scalar_one() >= MOST_A_TICKET:
                raise TooMany
            row = AttachmentRow(
                ticket_id=ticket.id,
                name=file.shown_name,
                content_type=content_type,
                size_bytes=len(file.content),
                path=path,
                added_by=actor,
                added_at=now,
            )
            session.add(row)
            _record(session, ticket, HistoryAction.ATTACHED, file.shown_name, actor=actor, now=now)
            return row
    except BaseException:
        await asyncio.to_thread((folder / path).unlink, missing_ok=True)
        raise


async def detach(
    database: Database, folder: Path, *, number: str, attachment_id: int, actor: str, now: datetime
) -> None:
    """Takes a file off its ticket and deletes it; the history says who did. Raises NoSuchTicket."""
    async with database.write() as session:
        ticket = await _ticket(session, number)
        row = await session.get(AttachmentRow, attachment_id)
        if row is None or row.ticket_id != ticket.id:
            raise NoSuchTicket
        await session.execute(delete(AttachmentRow).where(AttachmentRow.id == attachment_id))
        _record(session, ticket, HistoryAction.DETACHED, row.name, actor=actor, now=now)
        path = folder / row.path
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def attachments_of(database: Database, ticket_id: int) -> tuple[AttachmentRow, ...]:
    async with database.read() as session:
        query = select(AttachmentRow).where(AttachmentRow.ticket_id == ticket_id).order_by(AttachmentRow.id)
        return tuple((await session.scalars(query)).all())


async def _ticket(session: AsyncSession, number: str) -> TicketRow:
    query = select(TicketRow).where(TicketRow.number == number).with_for_update(key_share=True)
    ticket = await session.scalar(query)
    if ticket is None:
        raise NoSuchTicket
    return ticket


def _record(
    session: AsyncSession, ticket: TicketRow, action: HistoryAction, name: str, *, actor: str, now: datetime
) -> None:
    write_history(session, ticket.id, action, at=now, actor=actor, data={"name": name})
    session.add(AuditRow(at=now, login=actor, action=action.value, subject=f"ticket:{ticket.number}", data={}))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
