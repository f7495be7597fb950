"""The command line of speech: `callcenter transcribe`, `import-recordings`, `models` and `evaluate speech`."""

import argparse
import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from callcenter.config import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Command = Callable[[argparse.Namespace, Settings], int]

LABELS_SAID_AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""Tuesday morning in Shanghai: the labels of the project's own set count their times from here."""


def _add(commands: Commands, name: str, command: Command | None, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=command)
    return parser


def add_speech(commands: Commands) -> None:
    transcribe = _add(commands, "transcribe", _transcribe, "transcribe audio files and print the text")
    transcribe.add_argument("files", nargs="+", type=Path, metavar="FILE")
    transcribe.add_argument("--json", action="store_true", help="one JSON object a file, with word times")
    transcribe.add_argument("--model", help="model name or folder (default: speech.model)")
    importing = _add(
        commands,
        "import-recordings",
        _import_recordings,
        "old recordings into the queue, transcribed when nothing waits",
    )
    importing.add_argument("folder", type=Path, metavar="FOLDER", help="with all that lies below it")
    importing.add_argument("--no-wait", action="store_true", help="queue them and end; the workers go on")
    models = _add(commands, "models", None, "list, fetch and check speech models")
    actions = models.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add(actions, "list", _models_list, "the models of the manifest and which are installed")
    get = _add(actions, "get", _models_get, "download a model, check it and unpack it")
    get.add_argument("name")
    check = _add(actions, "check", _models_check, "load a model in a process of its own and decode a sample")
    check.add_argument("name", nargs="?", help="model name or folder (default: speech.model)")


def add_speech_evaluation(evaluations: Commands) -> argparse.ArgumentParser:
    """`evaluations` are the actions of `callcenter evaluate`."""
    spoken = _add(evaluations, "speech", _evaluate_speech, "character errors and slots, as heard and as repaired")
    spoken.add_argument("set", type=Path, metavar="SET", help="from `corrections export --speech`, or of that kind")
    spoken.add_argument("--words", type=Path, metavar="FILE", help="word list (default: speech.word_list)")
    spoken.add_argument("--json", action="store_true")
    return spoken


def _transcribe(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.speech import transcribe

    return asyncio.run(transcribe(settings, options.files, as_json=options.json, model=options.model))


def _import_recordings(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.import_recordings import import_recordings

    return asyncio.run(import_recordings(settings, options.folder, wait=not options.no_wait))


def _models_list(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.speech import list_installed

    return list_installed(settings)


def _models_get(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.speech import get

    return asyncio.run(get(settings, options.name))


def _models_check(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.speech import check

    return asyncio.run(check(settings, options.name))


def _evaluate_speech(options: argparse.Namespace, settings: Settings) -> int:
    from callcenter.commands.speech_evaluation import evaluate_speech

    at = _at(options.at, settings)
    return evaluate_speech(
        settings, options.set, register=options.register, words=options.words, as_json=options.json, at=at
    )


def _at(at: datetime | None, settings: Settings) -> datetime:
    """A time without an offset is local."""
    if at is None:
        return LABELS_SAID_AT
    return at.replace(tzinfo=settings.zone) if at.tzinfo is None else at
