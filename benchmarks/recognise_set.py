"""What the demo model hears of the spoken half of the labelled set: the recognised texts, with n-best and times.

    python benchmarks/recognise_set.py FOLDER [--set tests/understanding/utterances.jsonl] [--to FILE] [--model FOLDER]

FOLDER holds what `models/demo-zh/speak_set.py` spoke (0007.wav is row 7). The sound is recognised by the product's own
code, one process; what is written is committed, the sound is not. One JSON object a row: `row`, `text` (as it was
said), `expect`, and `segments`: [side, start_ms, end_ms, text, words, readings], a word being [word, start_ms, end_ms,
confidence]. `--turns` adds when each turn was spoken: [side, start_ms, end_ms].
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings
from callcenter.domain.transcript import Segment, Transcript

PROJECT = Path(__file__).resolve().parent.parent
SET = PROJECT / "tests" / "understanding" / "utterances.jsonl"
MODEL = PROJECT / "models" / "demo-zh"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", type=Path, default=SET)
    parser.add_argument("--to", type=Path, help="default: spoken.jsonl beside the set")
    parser.add_argument("--model", type=Path, default=MODEL, help="default: the demo model")
    parser.add_argument("--turns", action="store_true", help="with the time of each turn")
    arguments = parser.parse_args()
    found = asyncio.run(_recognised(arguments.folder, arguments.set, model=arguments.model, turns=arguments.turns))
    target = arguments.to or arguments.set.with_name("spoken.jsonl")
    lines = (json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) for row in found)
    target.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    print(f"{len(found)} rows to {target}")
    return 0


async def _recognised(folder: Path, labelled: Path, *, model: Path, turns: bool) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in labelled.read_text("utf-8").splitlines() if line.strip()]
    engine = EngineSettings(model_path=model)
    found = []
    async with Transcriber(TranscriberSettings(processes=1)) as transcriber:
        for file in sorted(folder.glob("*.wav")):
            number = int(file.stem)
            heard = await transcriber.transcribe(file, engine=engine, sides="stereo")
            spoken = {"turns": json.loads(file.with_suffix(".json").read_text("utf-8"))} if turns else {}
            found.append({"row": number, **rows[number - 1], **spoken, "segments": _segments(heard.transcript)})
    return found


def _segments(transcript: Transcript) -> list[list[Any]]:
    return [_written(segment) for segment in transcript.segments]


def _written(segment: Segment) -> list[Any]:
    words = [[word.text, word.start_ms, word.end_ms, round(word.confidence, 2)] for word in segment.words]
    side = segment.side.value
    return [side, segment.start_ms, segment.end_ms, segment.text, words, list(segment.alternatives)]


if __name__ == "__main__":
    sys.exit(main())
