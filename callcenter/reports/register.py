"""What the estate register holds, and where it came from."""

from dataclasses import dataclass

from sqlalchemy import func, select

from callcenter.db.engine import Database
from callcenter.db.register import RegisterImportRow, RegisterResidentRow, RegisterRoomRow


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterState:
    """Rooms by estate ("" where none is named), residents in all, and the last imports."""

    estates: tuple[tuple[str, int], ...]
    residents: int
    imports: tuple[RegisterImportRow, ...]


async def register_state(database: Database) -> RegisterState:
    estate = func.coalesce(RegisterRoomRow.estate, "")
    async with database.read() as session:
        estates = (await session.execute(select(estate, func.count()).group_by(estate).order_by(estate))).all()
        residents = (await session.execute(select(func.count()).select_from(RegisterResidentRow))).scalar_one()
        imports = await session.scalars(select(RegisterImportRow).order_by(RegisterImportRow.id.desc()).limit(5))
        return RegisterState(
            estates=tuple((name, count) for name, count in estates), residents=residents, imports=tuple(imports)
        )
