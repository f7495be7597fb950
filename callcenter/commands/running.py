"""`callcenter serve` and `callcenter worker`."""

import asyncio
import errno
import gc
import socket
import sys
from pathlib import Path

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from callcenter.app.parts import prepare_data_dir, warn_of_rehearsal
from callcenter.asr.errors import SpeechError
from callcenter.config import ServerSettings, Settings
from callcenter.logs import set_up_logs
from callcenter.services.schema import SchemaOutdated, in_one_line

log = structlog.get_logger()


def serve(settings: Settings, *, config_file: Path | None) -> int:
    """Serves until SIGTERM or Ctrl-C. 1 where the address cannot be had or the database's schema is another version's.

    A database that is away keeps nobody from phoning: events go to the spool until it is back. Raises SettingsError.
    """
    from callcenter.app.server import web_application

    set_up_logs(settings.log)
    warn_of_rehearsal(settings)
    prepare_data_dir(settings)
    app = web_application(settings, config_file=str(config_file) if config_file else None)
    server = settings.server
    _spare_the_collector()
    log.info("serving", address=f"http://{server.host}:{server.port}", public_url=server.public_url)
    try:
        web.run_app(app, host=server.host, port=server.port, print=None, access_log=None, shutdown_timeout=5)
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


def _remedy_of_binding(error: OSError | UnicodeError, server: ServerSettings) -> str | None:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {server.port} is in use; set server.port to another one"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return f"server.port = {server.port}: this user may not use it; take one from 1024 on, behind a proxy"
    if isinstance(error, socket.gaierror | UnicodeError) or error.errno == errno.EADDRNOTAVAIL:
        return f"server.host = {server.host!r}: no address of this machine; give one of them, or 0.0.0.0 for all"
    return None


def _spare_the_collector() -> None:
    """What start-up made stays for good: looking through it again and again costs a tenth of the throughput."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def worker(settings: Settings, *, parent: int | None) -> int:
    """Transcribes until stopped. 1 where the database is away (start it again), 2 where the model does not work."""
    from callcenter.app.worker import run_worker

    set_up_logs(settings.log)
    warn_of_rehearsal(settings)
    prepare_data_dir(settings)
    try:
        asyncio.run(run_worker(settings, parent=parent))
    except SpeechError as error:
        print(f"callcenter: speech.model = {settings.speech.model!r}: {error}", file=sys.stderr)
        print("callcenter: recordings wait until it is mended; `callcenter models list` shows models", file=sys.stderr)
        return 2
    except (SQLAlchemyError, OSError) as error:
        print(f"callcenter: the worker cannot go on: {in_one_line(error)}", file=sys.stderr)
        return 1
    return 0
