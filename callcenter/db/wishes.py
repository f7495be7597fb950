"""What residents asked of our calls: at which times of day not, and whether they agreed to greetings."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class ResidentWishRow(Base):
    """One number's wishes; who asked for no calls at all stands in do_not_call. `greetings`: agreed to them."""

    __tablename__ = "resident_wishes"

    number: Mapped[str] = mapped_column(primary_key=True)
    not_mornings: Mapped[bool] = mapped_column(default=False)
    not_afternoons: Mapped[bool] = mapped_column(default=False)
    not_evenings: Mapped[bool] = mapped_column(default=False)
    greetings: Mapped[bool] = mapped_column(default=False)
    noted_at: Mapped[datetime]
    noted_by: Mapped[str]
