"""A month compressed: 2,000 calls through one recogniser process, which must not grow; and what a process needs.

    .venv/bin/python benchmarks/soak.py [--quick]

The calls are a few seconds of both sides, so that the month fits into minutes: what could grow grows with recognisers
made and results read, not with seconds of silence. Measures:

- memory after the first quarter of the calls against memory at the end: less than 5 % more.
- start-up to first word: from starting the processes to the first recording's words. Below 10 s.
- memory of an idle process, and of each side that is being heard live (shown).

The quick round makes 60 calls. Exit code 0 only where both measures hold.
"""

import argparse
import asyncio
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from callcenter.asr.batch import Transcriber, TranscriberSettings  # noqa: E402
from callcenter.asr.engine import EngineSettings  # noqa: E402
from callcenter.asr.live import LiveRecognisers, LiveSettings  # noqa: E402
from callcenter.domain.transcript import Side  # noqa: E402
from callcenter.ports import LiveAudio  # noqa: E402

ENGINE = EngineSettings(model_path=ROOT / "models/demo-zh")
CALL = ROOT / "callcenter/demo/calls/01-kitchen-leak"
RATE_HZ = 8000
CLIP_SECONDS = 2.5
CLIPS = 8
MOST_GROWTH, MOST_START_SECONDS = 0.05, 10.0
LIVE_SIDES = 20


def clips(folder: Path) -> list[Path]:
    """Some stretches of a demo call, both sides talking."""
    sides = []
    for name in ("resident", "agent"):
        with wave.open(str(CALL / f"{name}.wav")) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        sides.append(samples[np.convolve(np.abs(samples) > 300, np.ones(800), "same") > 0])
    length = int(CLIP_SECONDS * RATE_HZ)
    made = []
    for number in range(CLIPS):
        both = np.stack([np.resize(side[number * length // 2 :], length) for side in sides], axis=1)
        path = folder / f"{number}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(np.ascontiguousarray(both).tobytes())
        made.append(path)
    return made


def recogniser() -> psutil.Process:
    """The process that holds the model: the largest of ours."""
    return max(psutil.Process().children(recursive=True), key=lambda one: one.memory_info().rss)


async def soak(calls: int, files: list[Path]) -> tuple[float, list[float]]:
    """Seconds to the first words; MB of the process after each twentieth of the calls."""
    began = time.perf_counter()
    settings = TranscriberSettings(processes=1, tasks_per_process=10 * calls)
    async with Transcriber(settings) as transcriber:
        first = await transcriber.transcribe(files[0], engine=ENGINE, sides="stereo")
        start_seconds = time.perf_counter() - began
        assert not first.transcript.is_empty
        process, memory = recogniser(), []
        for number in range(1, calls + 1):
            await transcriber.transcribe(files[number % len(files)], engine=ENGINE, sides="stereo")
            if number % (calls // 20) == 0:
                memory.append(process.memory_info().rss / 1e6)
        assert process.is_running(), "the process was replaced: its memory says nothing"
    return start_seconds, memory


async def live_memory() -> tuple[float, float]:
    """MB of an idle live process, and of each side that is being heard."""
    async with LiveRecognisers(ENGINE, LiveSettings(processes=1, calls_per_process=100)) as recognisers:
        while not recognisers.ready_processes:  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(0.05)
        process = recogniser()
        idle = process.memory_info().rss / 1e6
        with wave.open(str(CALL / "resident.wav")) as file:
            pcm = file.readframes(10 * RATE_HZ)
        calls = [recognisers.open((Side.RESIDENT,), lambda _: None) for _ in range(LIVE_SIDES)]
        for at in range(0, len(pcm), 8000):
            for call in calls:
                call.hear(LiveAudio(side=Side.RESIDENT, at_ms=at // 16, pcm=pcm[at : at + 8000]))
            while recognisers.behind_ms:  # noqa: ASYNC110 - another process's state
                await asyncio.sleep(0.01)
        busy = process.memory_info().rss / 1e6
        await asyncio.gather(*(call.finish() for call in calls))
    return idle, (busy - idle) / LIVE_SIDES


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__)
    cli.add_argument("--quick", action="store_true")
    calls = 60 if cli.parse_args().quick else 2000
    with tempfile.TemporaryDirectory() as folder:
        start_seconds, memory = asyncio.run(soak(calls, clips(Path(folder))))
    idle, side = asyncio.run(live_memory())
    growth = memory[-1] / memory[4] - 1
    print(f"start-up to first words {start_seconds:.2f} s; live process idle {idle:.0f} MB, a side {side:.2f} MB more")
    print(f"{calls} calls through one process, MB after each twentieth: {' '.join(f'{one:.0f}' for one in memory)}")
    holds = growth < MOST_GROWTH and start_seconds < MOST_START_SECONDS
    print(
        f"verdict: memory {growth * 100:+.1f} % after the first quarter (below {MOST_GROWTH * 100:.0f}),"
        f" first words after {start_seconds:.2f} s (below {MOST_START_SECONDS:.0f})"
        f" {'holds' if holds else 'DOES NOT HOLD'}"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
