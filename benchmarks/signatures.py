"""The provider's own signed requests against our check: exactly the valid ones are accepted.

    .venv/bin/python benchmarks/signatures.py [--quick]

Reads ../shared/yardsticks/twilio_signatures.json where it lies there; without it there is nothing to measure.
"""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from multidict import MultiDict, MultiDictProxy
from twilio.request_validator import RequestValidator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from callcenter.ivr.providers.twilio import signature_is_valid  # noqa: E402

VECTORS = ROOT.parent / "shared" / "yardsticks" / "twilio_signatures.json"


def accepted(vector: dict[str, Any]) -> bool:
    params = vector.get("params")
    body = vector["body"] if "body" in vector else urlencode(params or {})
    return signature_is_valid(
        RequestValidator(vector["token"]),
        url=vector["url"],
        pairs=None if "body" in vector else MultiDictProxy(MultiDict(params or {})),
        body=body.encode(),
        signature=vector["signature"],
    )


def main() -> int:
    if not VECTORS.is_file():
        print("verdict: the outside vectors are not here; nothing was measured")
        return 0
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    wrong = [vector["id"] for vector in vectors if accepted(vector) is not vector["valid"]]
    print(f"{len(vectors)} signed requests, wrongly judged: {', '.join(wrong) or 'none'}")
    print(f"verdict: exact accept and reject {'DOES NOT HOLD' if wrong else 'holds'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
