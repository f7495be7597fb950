"""Throughput of the product's transcription against bare libvosk on the same audio with as many processes.

    .venv/bin/python benchmarks/transcribe.py [--quick]

Every demo call becomes a stereo file. The bare side reads the same samples and feeds them to one recogniser a side,
with nothing else; the product decodes, finds the speech and leaves the silence out. Beside both runs the command line
that comes with Vosk, `vosk-transcriber`, on the same sides as files of their own; it loads its model in each run, and
its loading is left out of its time. Where the machine has no ffmpeg, which it wants, a small program stands in that
only doubles the rate. They run one after the other, so that a busy machine slows all. Exit code 0 only where the
verdict holds.
"""

import argparse
import asyncio
import functools
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from callcenter.asr.batch import Transcriber, TranscriberSettings  # noqa: E402
from callcenter.asr.engine import EngineSettings  # noqa: E402

MODEL = ROOT / "models/demo-zh"
CALLS = ROOT / "callcenter/demo/calls"
RATE_HZ = 8000
REQUIRED = 0.95
PIECE_BYTES = 8000
THEIRS_EVERY = 3
"""In every third pair, the first among them, the command line runs as well."""
QUICK_CALLS = 6


FFMPEG = """#!{python} -ISB
import sys
import wave

with wave.open(sys.argv[sys.argv.index("-i") + 1]) as file:
    pcm = file.readframes(file.getnframes())
doubled = bytearray(2 * len(pcm))
for byte in (0, 1):
    doubled[byte::4] = doubled[byte + 2 :: 4] = pcm[byte::2]
sys.stdout.buffer.write(doubled)
"""
"""Each sample twice; hundredths of a second beside the recogniser's seconds."""


def mono_files(files: list[Path], folder: Path) -> Path:
    """Each side as a file of its own, as the command line wants them; its folder."""
    sides = folder / "sides"
    sides.mkdir()
    for path in files:
        with wave.open(str(path), "rb") as file:
            both = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        for number in range(2):
            with wave.open(str(sides / f"{path.stem}-{number}.wav"), "wb") as out:
                out.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
                out.writeframes(np.ascontiguousarray(both[:, number]).tobytes())
    return sides


def command_line(sides: Path, folder: Path) -> float:
    """Seconds of `vosk-transcriber` on every side, without the loading of its model."""
    shim = folder / "bin"
    if not shutil.which("ffmpeg") and not shim.exists():
        shim.mkdir()
        (shim / "ffmpeg").write_text(FFMPEG.format(python=sys.executable), encoding="utf-8")
        (shim / "ffmpeg").chmod(0o755)
    environment = os.environ | {"PATH": f"{shim}:{os.environ['PATH']}"}
    program = [sys.executable, "-m", "vosk.transcriber.cli", "--model", str(MODEL), "--log-level", "ERROR"]

    def run(source: Path) -> float:
        target = Path(tempfile.mkdtemp(dir=folder))
        started = time.perf_counter()
        subprocess.run(
            [*program, "-i", str(source), "-o", str(target)], env=environment, check=True, stderr=subprocess.DEVNULL
        )
        took = time.perf_counter() - started
        texts = [path.read_text(encoding="utf-8") for path in target.iterdir()]
        if len(texts) != len(list(source.iterdir())) or (source == sides and not any(texts)):
            sys.exit("vosk-transcriber gave nothing: its time says nothing")
        return took

    nothing = folder / "nothing"
    nothing.mkdir(exist_ok=True)
    loading = run(nothing)
    return run(sides) - loading


def stereo_files(folder: Path) -> list[Path]:
    """A stereo WAV a call from the two sides' files, the shorter one filled with silence."""
    files = []
    for call in sorted(CALLS.glob("*/resident.wav")):
        sides = [_samples(path) for path in (call, call.with_name("agent.wav")) if path.exists()]
        length = max(len(side) for side in sides)
        both = np.zeros((length, 2), np.int16)
        for number, side in enumerate(sides):
            both[: len(side), number] = side
        path = folder / f"{call.parent.name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((2, 2, RATE_HZ, 0, "NONE", ""))
            file.writeframes(both.tobytes())
        files.append(path)
    if not files:
        sys.exit(f"no demo recordings in {CALLS}/*/resident.wav: they are made with the demo, see callcenter/demo")
    return files


def _samples(path: Path) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    with wave.open(str(path), "rb") as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE_HZ, 1, 2):
            sys.exit(f"{path} is not 8 kHz mono 16 bit")
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _frames(path: Path) -> int:
    with wave.open(str(path), "rb") as file:
        return file.getnframes()


@functools.cache
def _model() -> Any:
    import vosk

    vosk.SetLogLevel(-1)
    return vosk.Model(str(MODEL))


def _bare_side(job: tuple[Path, int]) -> int:
    """The least that anyone can do: read, split, recognise with word times."""
    import vosk

    path, channel = job
    with wave.open(str(path), "rb") as file:
        both = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    pcm = both[channel::2].tobytes()
    recogniser = vosk.KaldiRecognizer(_model(), RATE_HZ)
    recogniser.SetWords(True)
    words = 0
    for at in range(0, len(pcm), PIECE_BYTES):
        if recogniser.AcceptWaveform(pcm[at : at + PIECE_BYTES]):
            words += len(json.loads(recogniser.Result()).get("result", ()))
    return words + len(json.loads(recogniser.FinalResult()).get("result", ()))


def bare(pool: Pool, files: list[Path]) -> tuple[float, int]:
    started = time.perf_counter()
    words = sum(pool.imap_unordered(_bare_side, [(path, side) for path in files for side in (0, 1)]))
    return time.perf_counter() - started, words


async def product(transcriber: Transcriber, files: list[Path], engine: EngineSettings) -> tuple[float, int]:
    started = time.perf_counter()
    limit = asyncio.Semaphore(TranscriberSettings().processes + 1)

    async def one(path: Path) -> int:
        async with limit:
            result = await transcriber.transcribe(path, engine=engine, sides="stereo")
        return sum(len(segment.words) for segment in result.transcript.segments)

    words = sum(await asyncio.gather(*map(one, files)))
    return time.perf_counter() - started, words


async def measure(files: list[Path], pairs: int, folder: Path) -> tuple[float, float]:
    """Medians: product to bare libvosk, product to vosk-transcriber."""
    seconds = 2 * sum(map(_frames, files)) / RATE_HZ
    processes = os.cpu_count() or 1
    engine = EngineSettings(model_path=MODEL)
    print(f"{len(files)} calls, {seconds:.0f} s of audio (both sides), {processes} processes, {pairs} pairs")
    ratios, ahead = [], []
    sides = mono_files(files, folder)
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_model) as pool:
        async with Transcriber() as transcriber:
            await transcriber.warm_up(engine)
            bare(pool, files[:2])
            for number in range(pairs):
                bare_seconds, bare_words = bare(pool, files)
                our_seconds, our_words = await product(transcriber, files, engine)
                ratios.append(bare_seconds / our_seconds)
                if number % THEIRS_EVERY == 0:
                    their_seconds = command_line(sides, folder)
                    ahead.append(their_seconds / our_seconds)
                print(
                    f"pair {number + 1}: bare {seconds / bare_seconds:.0f} audio-s/s ({bare_words} words), "
                    f"product {seconds / our_seconds:.0f} audio-s/s ({our_words} words), ratio {ratios[-1]:.3f}; "
                    f"vosk-transcriber {seconds / their_seconds:.0f} audio-s/s"
                )
    return statistics.median(ratios), statistics.median(ahead)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="3 pairs instead of 9, of fewer calls")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = stereo_files(Path(folder))[: QUICK_CALLS if arguments.quick else None]
        ratio, ahead = asyncio.run(measure(files, 3 if arguments.quick else 9, Path(folder)))
    holds = ratio >= REQUIRED and ahead > 1
    print(
        f"{'HOLDS' if holds else 'FAILS'}: product/bare libvosk, median ratio {ratio:.3f}, required {REQUIRED};"
        f" product/vosk-transcriber {ahead:.2f}, required above 1"
    )
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
