"""What a telephone line does to speech: other voices, band limits, rooms, noises, levels, codecs. 16 kHz in, 8 kHz out.

Every epoch of the training draws these anew. Sound is in 16-bit values as floats.
"""

import numpy as np
import soxr
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 8000
NARROW = butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
WIDE = butter(2, [120, 3700], "bandpass", fs=RATE, output="sos")
STEPS = {"gsm-like": 6, "adpcm-like": 8}  # bits that are kept of a sample by the coarser codecs


def changed(samples, chance):
    """(8 kHz sound, how many times faster it is now)."""
    speed = float(chance.uniform(0.84, 1.16)) if chance.random() < 0.7 else 1.0  # the formants move with it
    sound = soxr.resample(samples.astype(np.float32), 16000 * speed, RATE)
    kind = chance.random()
    if kind < 0.5:
        sound = sosfilt(NARROW, sound)
    elif kind < 0.75:
        sound = sosfilt(WIDE, sound)
    if chance.random() < 0.25:
        sound = in_a_room(sound, chance)
    if chance.random() < 0.75:
        sound = sound + noise(len(sound), chance) * _rms(sound) * 10 ** (-chance.uniform(6, 36) / 20)
    sound = sound * (10 ** (chance.uniform(-22, 0) / 20) * 32767 / (np.abs(sound).max() + 1))
    return through_a_codec(sound, chance), speed


def in_a_room(sound, chance):
    length = int(chance.uniform(0.05, 0.25) * RATE)
    echo = chance.normal(0, 0.12, length) * np.exp(-6 * np.arange(length) / length)
    echo[0] = 1.0
    return fftconvolve(sound, echo)[: len(sound)]


def noise(length, chance):
    """White, duller, mains hum with it, or in bursts; of power one."""
    sound = chance.normal(0, 1, length)
    kind = chance.random()
    if kind < 0.45:
        sound = lfilter([1], [1, -chance.uniform(0.3, 0.97)], sound)
    if kind > 0.85:
        sound = sound + 1.5 * np.sin(2 * np.pi * 50 * chance.integers(1, 4) * np.arange(length) / RATE)
    if 0.45 < kind < 0.6:
        swell = np.repeat(chance.uniform(0.1, 1.5, length // 800 + 2), 800)[:length]
        sound = sound * swell
    return sound / (_rms(sound) + 1e-9)


def through_a_codec(sound, chance):
    kind = chance.random()
    if kind < 0.5:
        sound = mu_law(sound)
    elif kind < 0.6:
        sound = a_law(sound)
    elif kind < 0.7:
        step = 2 ** (15 - chance.choice(list(STEPS.values())))
        level = np.abs(sound).max() / 32768 + 1e-6
        sound = np.round(sound / (step * level)) * step * level
    return np.clip(np.round(sound), -32768, 32767).astype(np.float32)


def mu_law(sound):
    """G.711 µ-law there and back, as its curve says it."""
    held = np.clip(sound / 32768, -1, 1)
    code = np.round(np.sign(held) * np.log1p(255 * np.abs(held)) / np.log(256) * 127) / 127
    return np.sign(code) * (256 ** np.abs(code) - 1) / 255 * 32768


def a_law(sound, a=87.6):
    held, scale = np.clip(sound / 32768, -1, 1), 1 + np.log(a)
    size = np.abs(held)
    curve = np.where(size < 1 / a, a * size, 1 + np.log(np.maximum(a * size, 1))) / scale
    code = np.round(curve * 127) / 127 * scale
    back = np.where(code < 1, code / a, np.exp(code - 1) / a)
    return np.sign(held) * back * 32768


def _rms(sound):
    return float(np.sqrt(np.mean(np.square(sound))) + 1e-3)
