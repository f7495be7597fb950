"""Settings that people change in the console. They stand above the file and below the environment."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class SettingChangeRow(Base):
    """One change of one key; the newest row of a key holds. `value` {"is": ...}, or NULL: as the file says.

    `is_secret`: the value is nobody's to see; pages and exports say only that it was changed.
    """

    __tablename__ = "setting_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    login: Mapped[str]
    key: Mapped[str]
    value: Mapped[dict[str, Any] | None]
    is_secret: Mapped[bool] = mapped_column(default=False)
