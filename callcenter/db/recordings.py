"""Recordings, the transcription job of each, and the segments that came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.db.base import Base


class RecordingState(StrEnum):
    """PENDING until a job took it; TRANSCRIBED, or FAILED with `error` after the last try."""

    PENDING = "pending"
    RUNNING = "running"
    TRANSCRIBED = "transcribed"
    FAILED = "failed"


IMPORTED = "import"
"""The content of a recording from before our time: transcribed, and nothing follows from it."""


class RecordingRow(Base):
    """One recording. `content` is conversation, voice_mail or import; `path` is relative to the recordings folder.

    `attempts` counts the transcriptions begun, `job_number` the jobs made for it.

    `silence_ms`, `longest_silence_ms` and `cross_talk_ms` are by where voices are heard; the last is None where the
    sides cannot be told apart.

    `peaks` is {"resident": [...], "agent": [...]}: loudness 0..127, `peaks_per_second` a second.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        Index("ix_recordings_call_id", "call_id"),
        Index("ix_recordings_waiting", "state", "content", "ready_at"),
        Index("ix_recordings_transcribed_at", "transcribed_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    provider: Mapped[str]
    url: Mapped[str]
    content: Mapped[str]
    channels: Mapped[int]
    stated_seconds: Mapped[float | None]
    ready_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default=RecordingState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    job_number: Mapped[int] = mapped_column(default=0, server_default="0")
    error: Mapped[str | None]
    path: Mapped[str | None]
    size_bytes: Mapped[int | None]
    duration_ms: Mapped[int | None]
    peaks: Mapped[dict[str, Any] | None]
    peaks_per_second: Mapped[int | None]
    silence_ms: Mapped[int | None]
    longest_silence_ms: Mapped[int | None]
    cross_talk_ms: Mapped[int | None]
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    transcribed_at: Mapped[datetime | None]


class SegmentRow(Base):
    """A stretch of speech of one side; `words` is [[text, start_ms, end_ms, confidence], ...]."""

    __tablename__ = "segments"
    __table_args__ = (Index("ix_segments_call_id", "call_id"),)

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"))
    side: Mapped[str]
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    text: Mapped[str]
    words: Mapped[list[Any]]
    alternatives: Mapped[list[Any]] = mapped_column(default=list)
    corrected_text: Mapped[str | None]
