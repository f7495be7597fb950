"""Who may use the console: adding users, checking passwords, sessions that can be revoked, and the record of looks.

Passwords are hashed with argon2 in a thread (it takes a third of a second by design). A session is a random token
in a cookie; only its SHA-256 is kept, so that a copy of the database logs nobody in.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from callcenter.db.engine import Database
from callcenter.db.users import AuditRow, Role, SessionRow, UserRow

MINIMUM_PASSWORD_LENGTH = 10
OPERATOR = "(command line)"
"""Who did it, in the record, where nobody was logged in."""


class UserRefused(Exception):
    """The user cannot be added; the message says why."""


class WeakPassword(UserRefused):
    """The password is too short or is the login itself."""


class LoginTaken(UserRefused):
    """Another user has this login name."""


class UnknownRole(UserRefused):
    """There is no such role."""


class LastAdministrator(UserRefused):
    """Nobody could let anybody in any more."""


class UnknownLogin(UserRefused):
    """Nobody has this login name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Someone who may use the console."""

    id: int
    login: str
    name: str
    role: Role
    agent_id: str | None
    language: str | None

    @property
    def keys(self) -> tuple[str, ...]:
        """The names under which tickets and history know this user."""
        return (self.login, self.agent_id) if self.agent_id else (self.login,)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedUser:
    """A user as an operator sees it."""

    user: User
    disabled: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSession:
    """A login that has just begun: `token` goes into the cookie and is nowhere kept."""

    token: str
    csrf_token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """A login under way."""

    user: User
    csrf_token: str
    expires_at: datetime


async def add_user(
    database: Database,
    *,
    login: str,
    name: str,
    role: str,
    password: str,
    agent_id: str | None = None,
    now: datetime,
    actor: str = OPERATOR,
) -> None:
    """Raises WeakPassword, LoginTaken or UnknownRole, each with a message for the operator."""
    login = login.strip()
    if not login:
        raise UserRefused("the login is empty; give one")
    if role not in set(Role):
        raise UnknownRole(f"role {role!r}: there is no such role; use one of {', '.join(Role)}")
    password_hash = await _hashed(login, password)
    row = UserRow(
        login=login,
        name=name.strip() or login,
        role=role,
        agent_id=agent_id,
        password_hash=password_hash,
        created_at=now,
    )
    try:
        async with database.write() as session:
            session.add(row)
            data = {"role": role}
            session.add(AuditRow(at=now, login=actor, action="user_added", subject=f"user:{login}", data=data))
    except IntegrityError as error:
        raise LoginTaken(f"login {login!r}: taken; choose another one") from error


async def _hashed(login: str, password: str) -> str:
    """Raises WeakPassword."""
    if len(password) < MINIMUM_PASSWORD_LENGTH:
        raise WeakPassword(f"the password is shorter than {MINIMUM_PASSWORD_LENGTH} characters; give a longer one")
    if password.casefold() == login.casefold():
        raise WeakPassword("the password is the login; give another one")
    return await asyncio.to_thread(_hasher().hash, password)


async def list_users(database: Database) -> tuple[ListedUser, ...]:
    async with database.read() as session:
        rows = (await session.scalars(select(UserRow).order_by(UserRow.login))).all()
    return tuple(ListedUser(user=_user(row), disabled=row.disabled, created_at=row.created_at) for row in rows)


async def set_disabled(database: Database, *, login: str, disabled: bool, now: datetime, actor: str = OPERATOR) -> int:
    """Keeps a user out, or lets them in again; how many sessions that ended. Raises UnknownLogin, LastAdministrator."""
    action = "disabled" if disabled else "enabled"
    return await _change(database, login, action, now, {"disabled": disabled}, actor=actor)


async def change_password(
    database: Database, *, login: str, password: str, now: datetime, actor: str = OPERATOR
) -> int:
    """Every session of the user ends; how many there were. Raises WeakPassword, UnknownLogin."""
    password_hash = await _hashed(login.strip(), password)
    return await _change(database, login, "password_changed", now, {"password_hash": password_hash}, actor=actor)


async def change_user(
    database: Database, *, login: str, name: str, role: str, agent_id: str | None, now: datetime, actor: str
) -> int:
    """Name, role and phone; every session of the user ends. Raises UnknownRole, UnknownLogin, LastAdministrator."""
    if role not in set(Role):
        raise UnknownRole(f"role {role!r}: there is no such role; use one of {', '.join(Role)}")
    values = {"name": name or login, "role": role, "agent_id": agent_id}
    return await _change(database, login, "user_changed", now, values, actor=actor)


async def count_users(database: Database) -> int:
    async with database.read() as session:
        return (await session.execute(select(func.count()).select_from(UserRow))).scalar_one()


async def _change(
    database: Database, login: str, action: str, now: datetime, values: dict[str, Any], *, actor: str
) -> int:
    """In one transaction with the end of the sessions and the record of it; an administrator always remains."""
    login = login.strip()
    async with database.write() as session:
        changed = update(UserRow).where(UserRow.login == login).values(values).returning(UserRow.id)
        user_id = (await session.execute(changed)).scalar_one_or_none()
        if user_id is None:
            raise UnknownLogin(f"login {login!r}: nobody has it; `callcenter user list` shows who there is")
        if actor != OPERATOR and action in ("disabled", "user_changed"):
            admins = select(UserRow.id).where(UserRow.role == Role.ADMIN, UserRow.disabled.is_(False))
            if (await session.execute(admins.limit(1))).first() is None:
                raise LastAdministrator(f"login {login!r} is the last administrator")
        gone = delete(SessionRow).where(SessionRow.user_id == user_id).returning(SessionRow.token_hash)
        ended = len((await session.execute(gone)).all())
        session.add(AuditRow(at=now, login=actor, action=action, subject=f"user:{login}", data={}))
    return ended


async def authenticate(database: Database, *, login: str, password: str) -> User | None:
    """The user, if login and password are right. An unknown or disabled login takes as long as a wrong password."""
    async with database.read() as session:
        row = (await session.execute(select(UserRow).where(UserRow.login == login.strip()))).scalar_one_or_none()
    usable = row is not None and not row.disabled
    right = await asyncio.to_thread(_matches, row.password_hash if row and usable else None, password)
    return _user(row) if row and right else None


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_hex(16))


def _matches(password_hash: str | None, password: str) -> bool:
    try:
        _hasher().verify(password_hash or _hash_of_nobody(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def _user(row: UserRow) -> User:
    return User(
        id=row.id, login=row.login, name=row.name, role=Role(row.role), agent_id=row.agent_id, language=row.language
    )


async def open_session(database: Database, *, user: User, now: datetime, lasts: timedelta) -> NewSession:
    """Begins a login; sessions that have run out are removed on the way."""
    new = NewSession(token=secrets.token_urlsafe(32), csrf_token=secrets.token_urlsafe(24))
    async with database.write() as session:
        await session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
        session.add(
            SessionRow(
                token_hash=_hash_of(new.token),
                user_id=user.id,
                csrf_token=new.csrf_token,
                created_at=now,
                expires_at=now + lasts,
            )
        )
        session.add(AuditRow(at=now, login=user.login, action="logged_in", subject=f"user:{user.login}", data={}))
    return new


async def find_session(database: Database, *, token: str, now: datetime) -> Session | None:
    """The login that a cookie stands for; None once it has run out, was revoked, or the user was disabled."""
    query = (
        select(SessionRow, UserRow)
        .join(UserRow, UserRow.id == SessionRow.user_id)
        .where(SessionRow.token_hash == _hash_of(token), SessionRow.expires_at > now, UserRow.disabled.is_(False))
    )
    async with database.read() as session:
        found = (await session.execute(query)).one_or_none()
    if found is None:
        return None
    row, user = found
    return Session(user=_user(user), csrf_token=row.csrf_token, expires_at=row.expires_at)


async def close_session(database: Database, *, token: str) -> None:
    async with database.write() as session:
        await session.execute(delete(SessionRow).where(SessionRow.token_hash == _hash_of(token)))


async def close_all_sessions(database: Database, *, user_id: int) -> None:
    """Logs a user out everywhere."""
    async with database.write() as session:
        await session.execute(delete(SessionRow).where(SessionRow.user_id == user_id))


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def choose_language(database: Database, *, user_id: int, language: str) -> None:
    async with database.write() as session:
        await session.execute(update(UserRow).where(UserRow.id == user_id).values(language=language))


async def record_look(
    database: Database,
    *,
    login: str,
    action: str,
    subject: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    once_within: timedelta = timedelta(0),
) -> None:
    """Writes down that someone looked at a full number or listened to a recording.

    `once_within`: a player asks for a recording in many pieces; the same look within this time is written once.
    """
    again = select(AuditRow.id).where(
        AuditRow.login == login, AuditRow.action == action, AuditRow.subject == subject, AuditRow.at > now - once_within
    )
    if once_within:
        async with database.read() as session:
            if (await session.execute(again.limit(1))).first():
                return
    async with database.write() as session:
        session.add(AuditRow(at=now, login=login, action=action, subject=subject, data=dict(data or {})))
