"""`callcenter evaluate speech SET`: character errors and slots, before and after what repairs them."""

import json
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from callcenter.app.parts import own_words
from callcenter.commands.understanding import Refused, Understanding
from callcenter.config import Settings
from callcenter.domain.speech_evaluation import (
    CharacterErrors,
    SpokenRow,
    character_errors,
    read_spoken,
    without_readings,
)
from callcenter.domain.understanding import understand
from callcenter.domain.understanding.evaluation import Evaluation, evaluate
from callcenter.domain.understanding.labels import SLOTS, LabelError
from callcenter.domain.word_list import WordListError, with_words


def evaluate_speech(
    settings: Settings, set_file: Path, *, register: Path | None, words: Path | None, as_json: bool, at: datetime
) -> int:
    """Before: the recogniser's first reading, without register and word list. After: as the product reads it.

    1 where the set, the register or the word list cannot be used.
    """
    try:
        rows = read_spoken(set_file.read_text("utf-8-sig"))
        own = own_words(settings, words)
        machine = Understanding(settings, register=register, at=at)
    except (OSError, UnicodeDecodeError) as error:
        print(f"callcenter: {set_file}: {error}; give files in UTF-8", file=sys.stderr)
        return 1
    except LabelError as error:
        print(f"callcenter: {set_file}: {error}", file=sys.stderr)
        return 1
    except (WordListError, Refused) as error:
        print(f"callcenter: {error}", file=sys.stderr)
        return 1
    errors = character_errors(rows, own)
    before, after = _slots(machine, rows, own)
    if as_json:
        print(json.dumps(_as_json(errors, before, after), ensure_ascii=False))
    else:
        _show(errors, before, after)
    return 0


def _slots(machine: Understanding, rows: tuple[SpokenRow, ...], own: tuple[str, ...]) -> tuple[Evaluation, Evaluation]:
    context, labelled = machine.context, [row.labelled for row in rows]

    def read(*, repaired: bool) -> Evaluation:
        register = context.register if repaired else None

        def one(row: Any) -> Any:
            heard = with_words(row.transcript, own) if repaired else without_readings(row.transcript)
            then = replace(context, register=register, heard_at=row.heard_at or context.heard_at)
            return understand(heard, context=then, rules=machine.rules)

        return evaluate(labelled, one)

    return read(repaired=False), read(repaired=True)


def _accuracy(result: Evaluation, slot: str) -> tuple[int, int]:
    """(right, judged): a value that is right, or rightly none."""
    score = result.scores.get(slot)
    if score is None:
        return 0, 0
    right = score.right + score.rightly_empty
    return right, right + score.wrong + score.missing + score.invented


def _as_json(errors: CharacterErrors, before: Evaluation, after: Evaluation) -> dict[str, Any]:
    slots = {
        slot: {
            "judged": _accuracy(after, slot)[1],
            "before": _accuracy(before, slot)[0],
            "after": _accuracy(after, slot)[0],
        }
        for slot in SLOTS
        if _accuracy(after, slot)[1]
    }
    return {
        "letters": errors.letters,
        "character_error_rate": {"before": errors.rate_before, "after": errors.rate_after},
        "passages_made_worse": errors.worse,
        "slots": slots,
    }


def _show(errors: CharacterErrors, before: Evaluation, after: Evaluation) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{after.rows} calls, {errors.letters} letters: character errors {_percent(errors.rate_before)} as heard,"
        f" {_percent(errors.rate_after)} with your words ({errors.worse} passages made worse)"
    )
    table = Table("slot", "judged", "right before", "right after", box=None)
    for slot in SLOTS:
        right, judged = _accuracy(after, slot)
        if judged:
            table.add_row(slot, str(judged), _percent(_accuracy(before, slot)[0] / judged), _percent(right / judged))
    console.print(table)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"
