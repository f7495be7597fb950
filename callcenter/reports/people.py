"""What the people in tickets and histories are called, and to whom a ticket can be given."""

from dataclasses import dataclass

from sqlalchemy import select

from callcenter.db.engine import Database
from callcenter.db.users import UserRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    login: str
    name: str
    role: str
    agent_id: str | None


async def people(database: Database) -> tuple[Person, ...]:
    """Everyone who may log in, by name."""
    query = select(UserRow).where(UserRow.disabled.is_(False)).order_by(UserRow.name, UserRow.login)
    async with database.read() as session:
        rows = (await session.scalars(query)).all()
    return tuple(Person(login=row.login, name=row.name, role=row.role, agent_id=row.agent_id) for row in rows)
