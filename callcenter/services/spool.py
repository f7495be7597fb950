"""A local file that keeps events while the database is away: one SQLite file of its own, fsynced at every append."""

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger()

CREATE = "CREATE TABLE IF NOT EXISTS spool (number INTEGER PRIMARY KEY, row TEXT NOT NULL, refused TEXT)"
SPOOL_FILE = "spool.sqlite"
"""Its name in the data folder."""
TIMES = ("earliest", "latest", "received_at")


class SpoolFull(Exception):
    """The spool's disk does not take the event (full, read-only or gone)."""


class Spool:
    """Appended to from threads; each row keeps its place in the order it came."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False

    def open(self) -> None:
        """A disk that does not let it be opened now may later: every use tries again."""
        with self._lock:
            self._closed = False
            try:
                self._opened()
            except (sqlite3.Error, SpoolFull) as error:
                log.warning("the spool cannot be opened yet", path=str(self._path), error=str(error))

    def close(self) -> None:
        """Waits for a thread that still reads or writes: SQLite crashes the process when it is closed under one."""
        self._closed = True
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def append(self, rows: list[dict[str, Any]]) -> None:
        """Raises SpoolFull where the disk does not take them."""
        values = [(json.dumps(row, default=_iso, ensure_ascii=False),) for row in rows]
        with self._lock:
            try:
                connection = self._opened()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    connection.executemany("INSERT INTO spool (row) VALUES (?)", values)
                    connection.execute("COMMIT")
                except sqlite3.Error:
                    connection.rollback()
                    raise
            except sqlite3.Error as error:
                raise SpoolFull(f"{self._path}: {error}") from error

    def oldest(self, count: int) -> list[tuple[int, dict[str, Any]]]:
        with self._lock:
            try:
                found = self._opened().execute(
                    "SELECT number, row FROM spool WHERE refused IS NULL ORDER BY number LIMIT ?", (count,)
                )
                return [(number, _row(text)) for number, text in found.fetchall()]
            except sqlite3.Error as error:
                raise SpoolFull(f"{self._path}: {error}") from error

    def remove(self, number: int) -> None:
        self._run("DELETE FROM spool WHERE number = ?", (number,))

    def refuse(self, number: int, why: str) -> None:
        """Keeps a row that the database will never take, out of the way of those behind it."""
        self._run("UPDATE spool SET refused = ? WHERE number = ?", (why, number))

    def _run(self, statement: str, values: tuple[object, ...]) -> None:
        with self._lock:
            try:
                self._opened().execute(statement, values)
            except sqlite3.Error as error:
                raise SpoolFull(f"{self._path}: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise SpoolFull(f"{self._path}: closed")
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SpoolFull(f"{self._path}: {error.strerror}") from error
        connection = sqlite3.connect(self._path, check_same_thread=False, isolation_level=None, timeout=0.5)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(CREATE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection


@dataclass(frozen=True, kw_only=True, slots=True)
class SpoolCounts:
    """`waiting` go into the database when it is back; `refused` ones it will never take."""

    waiting: int = 0
    refused: int = 0


def spool_counts(path: Path) -> SpoolCounts:
    """Looks from another process and writes nothing. Raises SpoolFull where the file cannot be read."""
    if not path.exists():
        return SpoolCounts()
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)) as connection:
            waiting, refused = connection.execute(
                "SELECT COUNT(*) - COUNT(refused), COUNT(refused) FROM spool"
            ).fetchone()
    except sqlite3.Error as error:
        raise SpoolFull(f"{path}: {error}") from error
    return SpoolCounts(waiting=waiting, refused=refused)


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot spool a {type(value).__name__}")


def _row(text: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(text)
    return row | {name: datetime.fromisoformat(row[name]) for name in TIMES}
