"""Character error rates of a model on the held-out sentences: as spoken, and over two simulated telephone lines.

    python measure.py MODEL FOLDER [--voice WORK]

FOLDER holds NN.wav, spoken from held_out.txt when they are missing (then --voice is needed). A line: 300 to
3400 Hz, white noise 20 or 10 dB below the speech, µ-law. The rates are those of the one voice that it knows.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr
from line import NARROW, RATE, mu_law
from scipy.signal import sosfilt

LINES = {"clean": None, "telephone, noise 20 dB below": 20.0, "telephone, noise 10 dB below": 10.0}
PIECE = 4000  # bytes, a quarter of a second
FEW = 3
SENTENCES = 20  # of held_out.txt; the rest are telephone numbers and rooms


def measured(model_folder, voice, folder, *, few=False):
    """{line: {group: character errors per cent}}; groups are sentences and numbers."""
    import vosk

    vosk.SetLogLevel(-1)
    model, found = vosk.Model(str(model_folder)), {}
    recordings = spoken(voice, folder, few=few)
    for name, noise_db in LINES.items():
        errors = {"sentences": [0, 0], "numbers": [0, 0]}
        for seed, (group, text, sound) in enumerate(recordings):
            heard = recognised(vosk, model, over(sound, noise_db, seed))
            errors[group][0] += edits(text, heard)
            errors[group][1] += len(text)
        found[name] = {group: round(100 * wrong / total, 2) for group, (wrong, total) in errors.items() if total}
    return found


def spoken(voice, folder, *, few=False):
    """[(group, text without punctuation, 8 kHz sound)]."""
    import held_out

    folder.mkdir(parents=True, exist_ok=True)
    lines = (held_out.HERE / "held_out.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    sentences, numbers = lines[:SENTENCES], lines[SENTENCES:]
    chosen = [*(("sentences", t) for t in sentences), *(("numbers", t) for t in numbers)]
    found = []
    for number, (group, text) in enumerate(chosen[:FEW] if few else chosen):
        path = folder / f"{number:02}.wav"
        if not path.exists():
            soundfile.write(path, _said(voice, text.split("，")), RATE)
        sound, _ = soundfile.read(path, dtype="int16")
        found.append((group, text.replace("，", ""), sound.astype(np.float32)))
    return found


def _said(voice, clauses):
    pieces = []
    for clause in clauses:
        pieces += [voice.speak(clause)[0], np.zeros(6000, np.float32)]
    return np.clip(soxr.resample(np.concatenate(pieces), 24000, RATE), -1, 1)


def over(sound, noise_db, seed):
    if noise_db is not None:
        sound = sosfilt(NARROW, sound)
        noise = np.random.default_rng(seed).normal(0, 1, len(sound))
        sound = sound + noise * np.sqrt(np.mean(sound**2)) * 10 ** (-noise_db / 20)
        sound = mu_law(sound * (0.5 * 32767 / (np.abs(sound).max() + 1e-9)))
    return np.concatenate([sound, np.zeros(RATE * 3 // 10)]).astype("<i2").tobytes()


def recognised(vosk, model, sound):
    recogniser, texts = vosk.KaldiRecognizer(model, RATE), []
    for start in range(0, len(sound), PIECE):
        if recogniser.AcceptWaveform(sound[start : start + PIECE]):
            texts.append(json.loads(recogniser.Result())["text"])
    texts.append(json.loads(recogniser.FinalResult())["text"])
    return "".join(texts).replace(" ", "")


def edits(wanted, heard):
    row = list(range(len(heard) + 1))
    for number, letter in enumerate(wanted, 1):
        before, row[0] = row[:], number
        for at, other in enumerate(heard, 1):
            row[at] = min(before[at] + 1, row[at - 1] + 1, before[at - 1] + (letter != other))
    return row[-1]


if __name__ == "__main__":
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("model", type=Path), cli.add_argument("folder", type=Path), cli.add_argument("--voice", type=Path)
    a = cli.parse_args()
    speaker = None
    if a.voice:
        from voice import Voice

        speaker = Voice(a.voice)
    json.dump(measured(a.model, speaker, a.folder), sys.stdout, ensure_ascii=False, indent=1)
