"""The estate register: which rooms there are, who lives in them, and the imports that made it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class RegisterRoomRow(Base):
    """One address; a row may stop at the building where the rooms are not known. Ids are given by the import."""

    __tablename__ = "register_rooms"
    __table_args__ = (
        Index("ix_register_rooms_estate", "estate"),
        Index("ix_register_rooms_building_room", "building", "room"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    estate: Mapped[str | None]
    phase: Mapped[str | None]
    lane: Mapped[str | None]
    building: Mapped[str | None]
    unit: Mapped[str | None]
    floor: Mapped[str | None]
    room: Mapped[str | None]


class RegisterResidentRow(Base):
    """A resident of a room; `phone` as it is dialled from anywhere (+86...)."""

    __tablename__ = "register_residents"
    __table_args__ = (
        Index("ix_register_residents_room_id", "room_id"),
        Index("ix_register_residents_phone", "phone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("register_rooms.id", ondelete="CASCADE"))
    name: Mapped[str | None]
    phone: Mapped[str | None]


class RegisterImportRow(Base):
    """An import that was carried out; the newest id is the register's version."""

    __tablename__ = "register_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    imported_at: Mapped[datetime]
    source: Mapped[str]
    rooms: Mapped[int]
    residents: Mapped[int]
