"""Where a demonstration runs: a data folder of its own, free ports, settings made up for it, its users."""

import json
import secrets
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from callcenter.db.engine import Database
from callcenter.db.migrate import migrate
from callcenter.db.users import Role
from callcenter.services.users import add_user

HOTLINE = "+862156780000"
AGENTS = (
    {"id": "hewen", "name": "何雯", "phone": "sip:hewen@pbx.example"},
    {"id": "chenmin", "name": "陈敏", "phone": "sip:chenmin@pbx.example"},
    {"id": "lijia", "name": "李佳", "phone": "+8613900004471"},
)
ON_CALL = (
    {"name": "周工", "phone": "+8613900005581"},
    {"name": "吴工", "phone": "+8613900005582"},
)
TICK_SECONDS = 0.2


class NotReady(Exception):
    """The demonstration cannot begin; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class DemoUser:
    login: str
    name: str
    role: Role
    password: str = field(repr=False)
    agent_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Everything that is decided before the first process starts."""

    data_dir: Path
    port: int
    account_sid: str
    auth_token: str = field(repr=False)
    hears_live: bool = False

    @property
    def public_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def clock_file(self) -> Path:
        return self.data_dir / "clock"

    @property
    def settings_file(self) -> Path:
        return self.data_dir / "callcenter.toml"

    @property
    def database_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.data_dir / 'callcenter.sqlite'}"


def new_environment(data_dir: Path, port: int, *, hears_live: bool = False) -> Environment:
    """`hears_live`: calls are transcribed while they go on.

    Raises NotReady where the folder is in use or the port is taken.
    """
    data_dir = data_dir.resolve()
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise NotReady(f"data folder {data_dir}: not an empty folder; give a new or empty one to --data-dir")
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o700)
    return Environment(
        data_dir=data_dir,
        port=_free_port(port),
        account_sid=f"AC{secrets.token_hex(16)}",
        auth_token=secrets.token_hex(16),
        hears_live=hears_live,
    )


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise NotReady(f"port {port}: taken or not allowed ({error}); give another one with --port N") from error
        chosen: int = probe.getsockname()[1]
        return chosen


def agent_addresses() -> dict[str, str]:
    """Address -> agent id."""
    return {agent["phone"]: agent["id"] for agent in AGENTS}


def write_settings(environment: Environment, *, simulator_port: int) -> None:
    """The product's own settings file, as an operator would write it."""
    far_end = f"127.0.0.1:{simulator_port}"
    tables: dict[str, Mapping[str, Any]] = {
        "server": {
            "host": "127.0.0.1",
            "port": environment.port,
            "public_url": environment.public_url,
            "data_dir": str(environment.data_dir),
        },
        "database": {"url": environment.database_url},
        "twilio": {
            "account_sid": environment.account_sid,
            "auth_token": environment.auth_token,
            "from_number": HOTLINE,
            "api_url": f"http://{far_end}",
            "recording_hosts": [far_end],
        },
        "rings": {"cycle_seconds": 5.0, "rings": 3},
        "follow_up": {"tick_seconds": TICK_SECONDS},
        "speech": {"live": environment.hears_live},
    }
    written_settings(environment, tables, clock_file=environment.clock_file)


def written_settings(
    environment: Environment,
    tables: Mapping[str, Mapping[str, Any]],
    *,
    asterisk: Sequence[Mapping[str, Any]] = (),
    clock_file: Path | None = None,
) -> None:
    """The tables, with the demonstration's agents and on-call people."""
    lines = [f"clock_file = {_toml(str(clock_file))}", ""] if clock_file else []
    for name, table in tables.items():
        lines += [f"[{name}]", *_pairs(table), ""]
    for server in asterisk:
        lines += ["[[asterisk]]", *_pairs(server), ""]
    for agent in AGENTS:
        lines += ["[[agents]]", *_pairs(agent), ""]
    for person in ON_CALL:
        lines += ["[[on_call]]", *_pairs(person), ""]
    environment.settings_file.write_text("\n".join(lines), encoding="utf-8")
    environment.settings_file.chmod(0o600)


def _pairs(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in table.items()]


def _toml(value: Any) -> str:
    """JSON's strings, numbers, lists, true and false are TOML's too; not its tables."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)


def new_users() -> tuple[DemoUser, ...]:
    agent = AGENTS[0]
    return (
        DemoUser(
            login=agent["id"],
            name=agent["name"],
            role=Role.AGENT,
            password=secrets.token_urlsafe(9),
            agent_id=agent["id"],
        ),
        DemoUser(login="supervisor", name="客服主管", role=Role.SUPERVISOR, password=secrets.token_urlsafe(9)),
        DemoUser(login="admin", name="管理员", role=Role.ADMIN, password=secrets.token_urlsafe(9)),
    )


async def prepare_database(database: Database, users: tuple[DemoUser, ...], *, now: datetime) -> None:
    await migrate(database)
    for user in users:
        await add_user(
            database,
            login=user.login,
            name=user.name,
            role=user.role,
            password=user.password,
            agent_id=user.agent_id,
            now=now,
        )
