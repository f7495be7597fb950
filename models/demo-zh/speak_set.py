"""Speak labelled utterances over a telephone line: FOLDER/0007.wav is row 7 of the set (8 kHz, stereo).

usage: python speak_set.py FOLDER_OF_SAY_PY SET.jsonl FOLDER [--every]

The same voice, environment and notice as `make_calls.py`. Spoken are half of the rows, and each one that names a room;
`--every`: all of them. The half is chosen by the texts themselves (those that can be spoken as they stand, in the order
of their SHA-256), so that it is the same one each time. The line: 300 to 3400 Hz, white noise 30 dB below the speech,
and the G.711 µ-law codec there and back. The resident is in the left channel. `benchmarks/recognise_set.py` makes the
recognised texts of it; the sound is not kept. FOLDER/0007.json says when each turn was spoken: [[agent or resident,
start_ms, end_ms], ...].
"""

import argparse
import hashlib
import json
import re
import sys
import wave
from pathlib import Path

import numpy as np
from make_calls import AGENT_PITCH, NOISE, RATE, trimmed
from scipy.signal import butter, sosfilt

SIGNAL_TO_NOISE_DB = 30.0
BAND = butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
NOT_SPEAKABLE = re.compile(r"[A-Za-z0-9]")
TURN = re.compile(r"(客服|坐席|agent|住户|业主|居民|resident)\s*[:：]")


def chosen(rows, every):
    """(row number from 1, text) of half of the set and of each row that names a room, or of every row."""
    speakable = [(number, row["text"]) for number, row in enumerate(rows, 1) if not NOT_SPEAKABLE.search(row["text"])]
    order = sorted(speakable, key=lambda one: hashlib.sha256(one[1].encode()).hexdigest())
    half = order[: (len(rows) + 1) // 2]
    return sorted(one for one in order if every or one in half or rows[one[0] - 1]["expect"].get("room"))


def turns(text):
    """(agent or resident, words) in the order in which they are said."""
    at, side = 0, "resident"
    for match in TURN.finditer(text):
        if text[at : match.start()].strip():
            yield side, text[at : match.start()].strip()
        side = "agent" if match[1] in ("客服", "坐席", "agent") else "resident"
        at = match.end()
    if text[at:].strip():
        yield side, text[at:].strip()


def over_the_line(samples, chance):
    """A side on which nobody speaks has the noise of `make_calls.py`."""
    narrow = sosfilt(BAND, samples)
    loud = narrow[np.abs(narrow) > 200]
    noise = np.sqrt(np.mean(loud**2)) / 10 ** (SIGNAL_TO_NOISE_DB / 20) if len(loud) else NOISE
    return decoded(encoded(narrow + chance.normal(0, noise, len(narrow))))


def encoded(samples):
    """G.711 µ-law as its curve says it, 8 bits a sample."""
    held = np.clip(samples / 32768, -1, 1)
    return np.round(np.sign(held) * np.log1p(255 * np.abs(held)) / np.log(256) * 127)


def decoded(codes):
    return np.sign(codes) * ((256 ** (np.abs(codes) / 127)) - 1) / 255 * 32768


def make(text, say, tts, chance):
    placed, at = [], int(0.5 * RATE)
    for side, words in turns(text):
        speech = trimmed(say(tts, words, pitch=AGENT_PITCH if side == "agent" else 1.0, rate=RATE))
        placed.append((side, at, speech))
        at += len(speech) + int(chance.uniform(0.4, 0.7) * RATE)
    sides = np.zeros((at + RATE // 2, 2))
    for side, start, speech in placed:
        sides[start : start + len(speech), int(side == "agent")] += speech
    times = [[side, start * 1000 // RATE, (start + len(speech)) * 1000 // RATE] for side, start, speech in placed]
    return np.stack([over_the_line(sides[:, channel], chance) for channel in (0, 1)], axis=1), times


def write(path, samples):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2), out.setsampwidth(2), out.setframerate(RATE)
        out.writeframes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("voice", type=Path), cli.add_argument("set", type=Path), cli.add_argument("folder", type=Path)
    cli.add_argument("--every", action="store_true", help="not only half of the set")
    a = cli.parse_args()
    sys.path.insert(0, str(a.voice))
    from say import say, speaker

    a.folder.mkdir(parents=True, exist_ok=True)
    tts = speaker()
    rows = [json.loads(line) for line in a.set.read_text(encoding="utf-8").splitlines() if line.strip()]
    picked = chosen(rows, a.every)
    for number, text in picked:
        target = a.folder / f"{number:04}.wav"
        if not target.exists():
            samples, times = make(text, say, tts, np.random.default_rng(number))
            write(target, samples)
            target.with_suffix(".json").write_text(json.dumps(times), encoding="utf-8")
    print(f"{len(picked)} of {len(rows)} rows spoken")
