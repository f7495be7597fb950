"""`callcenter serve` and `callcenter worker`."""

import asyncio
import contextlib
import errno
import functools
import gc
import socket
import sys
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.console_settings import settings_in_use
from callcenter.app.surroundings import prepare_data_dir, warn_of_rehearsal
from callcenter.asr.errors import SpeechError
from callcenter.config import ServerSettings, Settings, load_settings
from callcenter.logs import set_up_logs
from callcenter.services.console_settings import ConsoleSettings
from callcenter.services.schema import SchemaOutdated, in_one_line

log = structlog.get_logger()

BACKLOG = 1024
"""Connections that wait while the server starts anew."""


def serve(settings: Settings, *, config_file: Path | None) -> int:
    """Serves until SIGTERM or Ctrl-C. 1 where the address cannot be had or the database's schema is another version's.

    A database that is away keeps nobody from phoning: events go to the spool until it is back. Raises SettingsError.
    """
    set_up_logs(settings.log)
    warn_of_rehearsal(settings)
    prepare_data_dir(settings)
    server = settings.server
    try:
        with contextlib.closing(_Listening(server)) as listening:
            while _serve_once(config_file, listening):
                log.info("starting anew with the changed settings")
    except SchemaOutdated as error:
        print(f"callcenter: {error}", file=sys.stderr)
        return 1
    except (OSError, UnicodeError) as error:
        remedy = _remedy_of_binding(error, server)
        if remedy is None:
            raise
        print(f"callcenter: {remedy}", file=sys.stderr)
        return 1
    return 0


def _serve_once(config_file: Path | None, listening: "_Listening") -> bool:
    """Serves with the settings as they are now; whether it ended because they have changed."""
    from callcenter.app.reload import RELOAD
    from callcenter.app.server import web_application

    used = settings_in_use(config_file)
    load = functools.partial(load_settings, config_file)
    console = ConsoleSettings(load=load, number_in_use=used.number)
    app = web_application(used.settings, config_file=str(config_file) if config_file else None, console=console)
    server = used.settings.server
    app.on_startup.append(_spare_the_collector)
    log.info("serving", address=f"http://{server.host}:{server.port}", public_url=server.public_url)
    web.run_app(app, sock=listening.copies(), print=None, access_log=None, shutdown_timeout=5, backlog=BACKLOG)
    return app[RELOAD].is_set()


class _Listening:
    """The server's sockets, open from the first start to the last stop: between the two nobody is refused."""

    def __init__(self, server: ServerSettings) -> None:
        """Raises OSError or UnicodeError where the address cannot be had."""
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self._sockets: list[socket.socket] = []
        try:
            for family, kind, protocol, _name, address in dict.fromkeys(found):
                self._sockets.append(_listen(family, kind, protocol, address))
        except OSError:
            self.close()
            raise

    def copies(self) -> list[socket.socket]:
        """For a server that closes what it was given."""
        return [one.dup() for one in self._sockets]

    def close(self) -> None:
        for one in self._sockets:
            one.close()


def _listen(family: int, kind: int, protocol: int, address: Any) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(BACKLOG)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _remedy_of_binding(error: OSError | UnicodeError, server: ServerSettings) -> str | None:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {server.port} is in use; set server.port to another one"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"server.port = {server.port}: this user may not use it; take one from 1024 on, behind a proxy"
    if isinstance(error, socket.gaierror | UnicodeError) or error.errno == errno.EADDRNOTAVAIL:
        return f"server.host = {server.host!r}: no address of this machine; give one of them, or 0.0.0.0 for all"
    return None


def spare_the_collector() -> None:
    """What start-up made stays for good: looking through it again and again costs a tenth of the throughput.

    What an earlier start in this process left behind is looked through once more.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _spare_the_collector(_: web.Application) -> None:
    spare_the_collector()


def worker(settings: Settings, *, parent: int | None, config_file: Path | None = None) -> int:
    """Transcribes until stopped. 1 where the database is away (start it again), 2 where the model does not work."""
    from callcenter.app.worker import run_worker

    set_up_logs(settings.log)
    warn_of_rehearsal(settings)
    prepare_data_dir(settings)
    try:
        used = settings_in_use(config_file)
        while asyncio.run(run_worker(used.settings, parent=parent, number_in_use=used.number)):
            log.info("starting anew with the changed settings")
            used = settings_in_use(config_file)
    except SpeechError as error:
        print(f"callcenter: speech.model = {settings.speech.model!r}: {error}", file=sys.stderr)
        print("callcenter: recordings wait until it is mended; `callcenter models list` shows models", file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        print(f"callcenter: the worker cannot go on: {in_one_line(error)}", file=sys.stderr)
        return 1
    return 0
