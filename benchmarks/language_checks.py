"""How well the checks of service language find what people marked, on clean text and as the recogniser hears it.

    python benchmarks/language_checks.py [--misses] [--rules FILE] [--quick]

The sets are the project's own (tests/language); the last line is the verdict: exit code 0 only where precision is at
least 0.97 and recall at least 0.9 on clean text. After the recogniser figures are reported and not judged: the
demonstration's model knows one voice and few words.
"""

import argparse
import statistics
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.domain.service_language import CheckContext, check_language, default_language_rules, language_rules
from callcenter.domain.service_language.evaluation import (
    LabelledCall,
    LanguageEvaluation,
    Tally,
    evaluate_language,
    read_language_labels,
)
from callcenter.domain.service_language.rules import LanguageRules
from callcenter.domain.understanding.rules_files import default_rules

SETS = Path(__file__).resolve().parent.parent / "tests" / "language"
WRITTEN = ("utterances.jsonl", "unseen.jsonl", "held_out.jsonl")
SPOKEN = "spoken.jsonl"
PRECISION, RECALL = 0.97, 0.9
CONTEXT = CheckContext(
    heard_at=datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")), understanding=default_rules()
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--misses", action="store_true", help="show every finding that is wrong or missing")
    parser.add_argument("--rules", type=Path, metavar="FILE", help="an edited service_language.toml")
    parser.add_argument("--quick", action="store_true", help="the same: it takes two seconds")
    arguments = parser.parse_args()
    rules = language_rules(arguments.rules) if arguments.rules else default_language_rules()
    missed = []
    for name in (*WRITTEN, SPOKEN):
        if not (SETS / name).exists():
            continue
        calls = read_language_labels((SETS / name).read_text("utf-8"))
        found = evaluate_language(calls, rules=rules, context=CONTEXT)
        show(name, calls, found, misses=arguments.misses)
        if name == WRITTEN[0]:
            missed += [
                part
                for part, tally in (("forbidden wordings", found.never), ("all checks", found.all))
                if tally.precision < PRECISION or tally.recall < RECALL
            ]
    print(f"cost: {cost(rules):.1f} ms a call")
    if missed:
        print(f"VERDICT: not met: {', '.join(missed)} (precision {PRECISION}, recall {RECALL})")
        return 1
    print(f"VERDICT: precision of at least {PRECISION} and recall of at least {RECALL} on clean text hold")
    return 0


def show(name: str, calls: tuple[LabelledCall, ...], found: LanguageEvaluation, *, misses: bool) -> None:
    print(f"{name}: {len(calls)} rows")
    rows = [("forbidden wordings", found.never), *sorted(found.checks.items()), ("all checks", found.all)]
    for check, tally in rows:
        print(f"  {check:20s} {shown(tally)}")
        if misses:
            print(*(f"      {miss}" for miss in tally.misses), sep="\n")
    print(f"  of {found.never.right} forbidden wordings found, {found.kind_right} under the labelled kind")


def shown(tally: Tally) -> str:
    counts = f"right {tally.right:3d}  wrong {tally.wrong:2d}  missing {tally.missing:2d}"
    return f"precision {tally.precision:.3f}  recall {tally.recall:.3f}  ({counts})"


def cost(rules: LanguageRules) -> float:
    """Milliseconds of CPU for a call, the median over the whole calls as heard."""
    calls = read_language_labels((SETS / SPOKEN).read_text("utf-8"))
    taken = []
    for call in calls:
        begun = time.process_time()
        check_language(call.transcript, rules=rules, context=CONTEXT)
        taken.append((time.process_time() - begun) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    sys.exit(main())
