"""The command line: `callcenter COMMAND`. Exit codes: 0 done, 1 failed, 2 wrong use or wrong settings."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from callcenter import __version__
from callcenter.commands.answering import add_answering
from callcenter.commands.follow_up import add_follow_up
from callcenter.commands.language_arguments import add_language
from callcenter.commands.speech_arguments import LABELS_SAID_AT, add_speech, add_speech_evaluation
from callcenter.config import Settings, SettingsError, load_settings

EPILOG = """\
First steps:
  callcenter demo            a rehearsal with a simulated provider; needs nothing else
  callcenter doctor          says what is still missing for real calls, and how to mend it
  callcenter serve           webhooks, console, reminders and one transcription worker

Settings come from callcenter.toml (or --config FILE) and from environment variables such as
CALLCENTER_SERVER__PORT=8080; docs/configuration.md lists them all.
"""

Command = Callable[[argparse.Namespace, Settings], int]

PRIVATE = frozenset(
    {
        "serve",
        "worker",
        "migrate",
        "demo",
        "user",
        "register",
        "settings",
        "reminders",
        "campaign",
        "fees",
        "corrections",
        "import-recordings",
        "ledger",
        "rollups",
    }
)
"""These write or make files with residents' words, voices or numbers: nobody else on the machine may read them."""


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns the exit code."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command in PRIVATE:
        os.umask(0o077)
    if options.command == "demo":
        return _demo(options)
    command: Command = options.run
    try:
        return command(options, _settings(options))
    except SettingsError as error:
        print(f"callcenter: the settings are wrong:\n{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _settings(options: argparse.Namespace) -> Settings:
    """Server and worker read them anew whenever they start; these commands begin with the file's."""
    if options.command in ("serve", "worker", "migrate", "settings"):
        return load_settings(options.config)
    from callcenter.app.console_settings import settings_in_use

    return settings_in_use(options.config, ask_database=options.command in PRIVATE).settings


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="callcenter",
        description="Voice service for a property company's resident hotline (物业客服热线).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"callcenter {__version__}")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file (default: ./callcenter.toml)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_running(commands)
    add_speech(commands)
    _add_understanding(commands)
    _add_upkeep(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add(commands: Commands, name: str, command: Command | None, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=command)
    return parser


def _add_running(commands: Commands) -> None:
    _add(commands, "serve", _serve, "serve webhooks and console, run the scheduler, keep one worker running")
    worker = _add(commands, "worker", _worker, "transcribe recordings until stopped")
    worker.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    demo = _add(commands, "demo", None, "play rehearsed calls through the whole product with a simulated provider")
    demo.add_argument(
        "--once", action="store_true", help="end after the calls; exit code 0 only if all went as expected"
    )
    demo.add_argument("--calls", type=Path, metavar="FOLDER", help="play these calls (a folder each) instead")
    demo.add_argument(
        "--live", action="store_true", help="transcribe the calls while they go on as well (takes longer)"
    )
    demo.add_argument(
        "--phones", action="store_true", help="real calls instead: Asterisk and SIPp on loopback, in real time"
    )
    demo.add_argument("--json", action="store_true", help="print the resulting calls and tickets as JSON")
    demo.add_argument("--port", type=int, default=8080, help="port of the console (default: 8080)")
    demo.add_argument("--data-dir", type=Path, metavar="DIR", help="keep the demo's data here (default: a new folder)")


def _add_understanding(commands: Commands) -> None:
    told = _add(
        commands, "understand", _understand, "show the ticket that a text makes, with the words behind each value"
    )
    told.add_argument("text", nargs="?", metavar="TEXT|FILE", help="default: one text a line from standard input")
    told.add_argument("--json", action="store_true", help="one JSON object a text")
    told.add_argument("--details", action="store_true", help="with --json: amounts, demands, problems and notes too")
    told.add_argument("--caller", metavar="NUMBER", help="the number that the call came from")
    evaluation = _add(commands, "evaluate", None, "measure what is understood against labels")
    actions = evaluation.add_subparsers(dest="action", required=True, metavar="WHAT")
    measured = _add(actions, "understanding", _evaluate, "precision and recall a slot, confusion, calibration")
    measured.add_argument("set", type=Path, metavar="SET", help='lines of {"text": ..., "expect": {slot: value}}')
    measured.add_argument("--json", action="store_true")
    measured.add_argument("--misses", action="store_true", help="show every value that is not right")
    add_language(commands, actions)
    spoken = add_speech_evaluation(actions)
    for command in (told, measured, spoken):
        command.add_argument("--register", type=Path, metavar="FILE", help="estate register, CSV")
        command.add_argument("--at", type=datetime.fromisoformat, metavar="TIME", help="when it was said (ISO 8601)")
    corrections = _add(commands, "corrections", None, "what agents made of the machine's tickets")
    actions = corrections.add_subparsers(dest="action", required=True, metavar="ACTION")
    export = _add(actions, "export", _corrections_export, "write a set for `evaluate understanding`; personal data")
    export.add_argument("file", type=Path, metavar="FILE")
    export.add_argument(
        "--speech", action="store_true", help="calls with corrected words instead: a set for `evaluate speech`"
    )
    export.add_argument("--since", type=datetime.fromisoformat, metavar="TIME", help="only what was looked at since")
    register = _add(commands, "register", None, "the estate register: buildings, rooms, residents")
    actions = register.add_subparsers(dest="action", required=True, metavar="ACTION")
    importing = _add(actions, "import", _register_import, "replace the estates of a CSV file by what it says")
    importing.add_argument("file", type=Path, metavar="FILE")
    importing.add_argument("--dry-run", action="store_true", help="check the file and say what would change")


def _add_upkeep(commands: Commands) -> None:
    _add(commands, "migrate", _migrate, "bring the database to the newest schema")
    _add(commands, "doctor", _doctor, "check settings, database, model, clock and public URL")
    user = _add(commands, "user", None, "users of the console")
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = _add(actions, "add", _user_add, "add a user; the password is asked for, or read from standard input")
    add.add_argument("login")
    add.add_argument("--name", required=True, help="name as shown, for example 何雯")
    add.add_argument("--role", required=True, choices=["agent", "supervisor", "admin"])
    add.add_argument("--agent", help="id of the agent in the settings whose phone this user answers")
    _add(actions, "list", _user_list, "who may use the console")
    for name, command, help_text in (
        ("disable", _user_disable, "keep a user out from now on; every session ends at once"),
        ("enable", _user_enable, "let a disabled user in again"),
        (
            "passwd",
            _user_passwd,
            "give a user a new password (asked for, or read from standard input); ends every session",
        ),
    ):
        _add(actions, name, command, help_text).add_argument("login")
    changed = _add(commands, "settings", None, "what was changed in the console, above the settings file")
    actions = changed.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add(actions, "list", _settings_list, "every key that the console says something of, and what")
    _add(actions, "reset", _settings_reset, "drop what the console says of a key").add_argument("key")
    add_follow_up(commands)
    add_answering(commands)


def _demo(options: argparse.Namespace) -> int:
    from callcenter.demo.run import run_demo

    return run_demo(
        once=options.once,
        calls=options.calls,
        as_json=options.json,
        port=options.port,
        data_dir=options.data_dir,
        live=options.live,
        phones=options.phones,
    )


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.running import serve

    return serve(settings, config_file=options.config)


def _worker(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.running import worker

    return worker(settings, parent=options.parent, config_file=options.config)


def _understand(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.understanding import understand_and_print

    return understand_and_print(
        settings,
        text=options.text,
        as_json=options.json,
        details=options.details,
        register=options.register,
        at=_moment(options.at, settings),
        caller=options.caller,
    )


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.understanding import evaluate_set

    at = _moment(options.at, settings) or LABELS_SAID_AT
    return evaluate_set(
        settings, options.set, register=options.register, as_json=options.json, misses=options.misses, at=at
    )


def _moment(at: datetime | None, settings: Settings) -> datetime | None:
    """A time without an offset is local."""
    return at.replace(tzinfo=settings.zone) if at is not None and at.tzinfo is None else at


def _register_import(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.understanding import import_file

    return asyncio.run(import_file(settings, options.file, dry_run=options.dry_run))


def _corrections_export(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.corrections import export_corrections

    since = _moment(options.since, settings)
    return asyncio.run(export_corrections(settings, options.file, since=since, speech=options.speech))


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import migrate

    return asyncio.run(migrate(settings))


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.doctor import doctor

    return asyncio.run(doctor(settings))


def _settings_list(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.console_settings import list_changed

    return asyncio.run(list_changed(settings))


def _settings_reset(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.console_settings import reset

    return asyncio.run(reset(settings, options.key))


def _user_add(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import add_user

    return asyncio.run(
        add_user(settings, login=options.login, name=options.name, role=options.role, agent_id=options.agent)
    )


def _user_list(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import list_users

    return asyncio.run(list_users(settings))


def _user_disable(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import set_disabled

    return asyncio.run(set_disabled(settings, options.login, disabled=True))


def _user_enable(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import set_disabled

    return asyncio.run(set_disabled(settings, options.login, disabled=False))


def _user_passwd(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.upkeep import change_password

    return asyncio.run(change_password(settings, options.login))
