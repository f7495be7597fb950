"""Let the voice read sentences at several pitches and speeds; keep 16 kHz sound and the duration of every sound.

A shard WORK/speech/NAME-0007.npz holds up to 100 utterances: `samples` (int16, all after one another), `lengths`, and
`classes`, `durations` (voice frames) with `counts`. Shards that exist are not made again.
"""

import random

import numpy as np
import soxr
from phones import folded
from voice import FRAME, RATE

SHARD = 100
KEPT_RATE = 16000
PITCHES = (0.82, 1.14)  # make_calls.py uses 0.88 for agents, 0.97 to 1.05 for residents
SPEEDS = (0.8, 1.22)


def synthesise(voice, utterances, name, folder, seed, log=print):
    folder.mkdir(parents=True, exist_ok=True)
    total = 0.0
    for shard, start in enumerate(range(0, len(utterances), SHARD)):
        target = folder / f"{name}-{shard:04}.npz"
        if not target.exists():
            chance = random.Random(f"{seed}/{name}/{shard}")  # noqa: S311 - speech rate and pitch
            seconds = _write(target, voice, utterances[start : start + SHARD], chance)
            total += seconds
            log(f"{target.name}: {seconds:.0f} s of speech", flush=True)
    return total


def _write(target, voice, utterances, chance):
    samples, lengths, classes, durations, counts = [], [], [], [], []
    for clauses in utterances:
        sound, symbols, frames = _spoken(voice, clauses, chance)
        found, held = folded(symbols, frames)
        samples.append(sound)
        lengths.append(len(sound))
        classes.extend(found)
        durations.extend(held)
        counts.append(len(found))
    partial = target.with_suffix(".partial.npz")
    np.savez(
        partial,
        samples=np.concatenate(samples),
        lengths=np.array(lengths, np.int32),
        classes=np.array(classes, np.int16),
        durations=np.array(durations, np.int32),
        counts=np.array(counts, np.int32),
    )
    partial.rename(target)
    return sum(lengths) / KEPT_RATE


def _spoken(voice, clauses, chance):
    """The clauses with pauses of 0 to 0.5 s between them and one at either end."""
    pieces, symbols, frames = [], [], []

    def pause(shortest, longest):
        length = chance.randint(shortest, longest)
        pieces.append(np.zeros(length * FRAME, np.float32))
        symbols.append("sil")
        frames.append(length)

    speed, pitch = chance.uniform(*SPEEDS), chance.uniform(*PITCHES)
    pause(2, 24)
    for number, clause in enumerate(clauses):
        if number:
            pause(0, 40)
        samples, said, held = voice.speak(clause, speed=speed, pitch=pitch)
        pieces.append(samples)
        symbols.extend(said)
        frames.extend(held)
    pause(4, 24)
    sound = soxr.resample(np.concatenate(pieces), RATE, KEPT_RATE)
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16), symbols, frames


def read(folder):
    """(samples int16 at 16 kHz, classes, durations) of every utterance of a folder of shards."""
    for path in sorted(folder.glob("*[0-9].npz")):
        with np.load(path) as shard:
            samples = np.split(shard["samples"], np.cumsum(shard["lengths"])[:-1])
            ends = np.cumsum(shard["counts"])[:-1]
            yield from zip(samples, np.split(shard["classes"], ends), np.split(shard["durations"], ends), strict=True)
