"""Calls and their agent legs, as folded from the events; rebuilt from them at will."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class CallRow(Base):
    """One call. `ring_*`, `answer_speed_*`, `wait_*`, `talk_*`, `hold_*`, `wrap_up_*` are milliseconds, low and high
    end of what is known; `hold_*` and `transferred` None where the line does not tell of it. `wait_*`: from the end of
    the menu to the answer, to voice mail or to the hang-up.

    `purpose` is what a call of ours was made for: reminder:7 (then `reminder_id` is 7), on_call:3.
    `rule` is the version of the ring rule that judged it (domain RingRule), empty where that is not known.
    `event_count` is how many stored events this row was folded from; `last_asked_at` when the provider was last
    asked after a call whose end never came.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_started_at", "started_at"),
        Index("ix_calls_from_number", "from_number"),
        Index("ix_calls_open", "ended_at", "last_event_at"),
        Index("ix_calls_rule", "rule"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    provider: Mapped[str]
    direction: Mapped[str]
    from_number: Mapped[str | None]
    to_number: Mapped[str | None]
    reminder_id: Mapped[int | None]
    purpose: Mapped[str | None]
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_event_at: Mapped[datetime]
    disposition: Mapped[str]
    outbound_outcome: Mapped[str | None]
    answered_by: Mapped[str | None]
    ring_low_ms: Mapped[int | None]
    ring_high_ms: Mapped[int | None]
    rings_low: Mapped[int | None]
    rings_high: Mapped[int | None]
    verdict: Mapped[str | None]
    rule: Mapped[str] = mapped_column(default="", server_default="")
    answer_speed_low_ms: Mapped[int | None]
    answer_speed_high_ms: Mapped[int | None]
    wait_low_ms: Mapped[int | None]
    wait_high_ms: Mapped[int | None]
    talk_low_ms: Mapped[int | None]
    talk_high_ms: Mapped[int | None]
    hold_low_ms: Mapped[int | None]
    hold_high_ms: Mapped[int | None]
    wrap_up_low_ms: Mapped[int | None]
    wrap_up_high_ms: Mapped[int | None]
    transferred: Mapped[bool | None]
    keys: Mapped[list[Any]] = mapped_column(default=list)
    closed_unknown: Mapped[bool] = mapped_column(default=False)
    hung_up_by: Mapped[str | None]
    event_count: Mapped[int]
    last_asked_at: Mapped[datetime | None]


class CallLegRow(Base):
    """One agent's phone on one call."""

    __tablename__ = "call_legs"
    __table_args__ = (Index("ix_call_legs_agent", "agent"),)

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    leg_id: Mapped[str] = mapped_column(primary_key=True)
    agent: Mapped[str | None]
    number: Mapped[str | None]
    outcome: Mapped[str]
    initiated_at: Mapped[datetime | None]
    ringing_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ring_low_ms: Mapped[int | None]
    ring_high_ms: Mapped[int | None]
    rings_low: Mapped[int | None]
    rings_high: Mapped[int | None]
    verdict: Mapped[str | None]


class CallJudgementRow(Base):
    """What a call was judged to be under a rule not in force any more. `legs`: [[leg_id, verdict, low, high]]."""

    __tablename__ = "call_judgements"

    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    disposition: Mapped[str]
    verdict: Mapped[str | None]
    rings_low: Mapped[int | None]
    rings_high: Mapped[int | None]
    legs: Mapped[list[Any]] = mapped_column(default=list)
    replaced_at: Mapped[datetime]
