"""Keep what the model is measured on out of what it learns from.

Held out are held_out.txt and every labelled text of tests/understanding (utterances, dangers). A training sentence goes
if it holds a held-out sentence or one of its clauses of eight or more characters, whatever the punctuation.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
LABELLED = HERE.parents[2] / "tests" / "understanding"
SHORTEST = 8  # shorter clauses (麻烦尽快派人来修) are what everybody says
CHINESE = re.compile(r"[^\u4e00-\u9fff]+")
TURN = re.compile(r"(客服|坐席|住户|业主|居民)\s*[:：]")


def texts():
    found = [
        line for line in (HERE / "held_out.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    for path in sorted(LABELLED.glob("*.jsonl")):
        rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
        found.extend(row.get("text", "") for row in rows)
    return found


class HeldOut:
    def __init__(self, held=None):
        self._by_start = {}
        for text in texts() if held is None else held:
            spoken = TURN.sub("，", text)
            for clause in [*CHINESE.split(spoken), CHINESE.sub("", spoken)]:
                if len(clause) >= SHORTEST:
                    self._by_start.setdefault(clause[:SHORTEST], set()).add(clause)

    def found_in(self, clauses):
        """The held-out clause that a training sentence holds, or None."""
        text = "".join(clauses)
        for at in range(len(text) - SHORTEST + 1):
            for clause in self._by_start.get(text[at : at + SHORTEST], ()):
                if text.startswith(clause, at):
                    return clause
        return None

    def without(self, sentences):
        return [clauses for clauses in sentences if self.found_in(clauses) is None]
