"""Where in a side somebody speaks. The recogniser hears words in noise, tones and music; it is fed only what is here.

Two measures tell speech from the rest: how much the spectrum's shape varies over a stretch (several people, one of them
synthetic, clean and with telephone noise at 10 dB: 3.8 dB and more; white, pink and brown noise: 2.2 dB and less), and
how much it changes from one 20 ms to the next, as the median (speech 2.2 dB and more; tones, telephone keys, ringing
and organ-like music 1.0 dB and less). Both must hold. Neither minds a codec that cuts off the higher tones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from callcenter.asr.audio import Samples
from callcenter.asr.speech_features import FRAME_MS, FrameFeatures, measure_frames

LEAST_AGGRESSIVE_USEFUL_MODE = 1
_JOIN_FRAMES = 700 // FRAME_MS
_SYLLABLE_GAP_FRAMES = 200 // FRAME_MS
BEFORE_FRAMES = 500 // FRAME_MS
_AFTER_FRAMES = 800 // FRAME_MS
_ALIGN_FRAMES = 3
"""60 ms: the recogniser looks at every 30 ms from where it starts; so it looks where it would without the gate."""
_LEAST_FRAMES = 100 // FRAME_MS
_SHORT_FRAMES = 600 // FRAME_MS
_ACTIVE_RANGE_DB = 25.0
_STEADY_FRAMES = 200 // FRAME_MS
_STEADY_CHANGE_DB = 0.7
_SILENCE_DB = 28.0
_LEAST_SHAPE_SPREAD_DB = 2.9
_LEAST_SHAPE_CHANGE_DB = 1.4


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A stretch with speech in it, padded; sample numbers in the side's recording."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Speech:
    """Where somebody speaks: `regions` to feed a recogniser with, `voiced_ms` as the voice itself is heard.

    `level_db` is one figure a frame of FRAME_MS of the whole side.
    """

    regions: tuple[Region, ...]
    voiced_ms: tuple[tuple[int, int], ...]
    level_db: NDArray[np.float32]


def find_speech(samples: Samples, *, rate_hz: int) -> tuple[Region, ...]:
    """The stretches that hold speech, in order, not overlapping; none for silence, noise and tones."""
    return hear_speech(samples, rate_hz=rate_hz).regions


def hear_speech(samples: Samples, *, rate_hz: int) -> Speech:
    features = measure_frames(samples, rate_hz=rate_hz)
    if not len(features.level_db):
        return Speech(regions=(), voiced_ms=(), level_db=features.level_db)
    candidates = candidate_frames(features, _voice_active(samples, rate_hz))
    spoken = [stretch for stretch in stretches(candidates) if is_speech(features, *stretch)]
    regions = tuple(_padded(spoken, frame_samples=rate_hz * FRAME_MS // 1000, total=len(samples)))
    return Speech(regions=regions, voiced_ms=tuple(_voiced(candidates, spoken)), level_db=features.level_db)


def _voiced(candidates: NDArray[np.bool_], spoken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """In ms, cut at every pause that is longer than the gap between two syllables."""
    for first, last in spoken:
        for start, end in stretches(candidates[first:last], join_frames=_SYLLABLE_GAP_FRAMES):
            yield (first + start) * FRAME_MS, (first + end) * FRAME_MS


def candidate_frames(features: FrameFeatures, voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames in which somebody may speak: the detector of voices says so, and they are no silence and no tone."""
    return voiced & (features.level_db > _SILENCE_DB) & ~_steady(features)


def _voice_active(samples: Samples, rate_hz: int) -> NDArray[np.bool_]:
    vad = webrtcvad.Vad(LEAST_AGGRESSIVE_USEFUL_MODE)
    frame_bytes = rate_hz * FRAME_MS // 1000 * 2
    pcm = samples.tobytes()
    starts = range(0, len(pcm) - frame_bytes + 1, frame_bytes)
    return np.fromiter((vad.is_speech(pcm[at : at + frame_bytes], rate_hz) for at in starts), np.bool_, len(starts))


def _steady(features: FrameFeatures) -> NDArray[np.bool_]:
    """Frames inside a stretch of 200 ms that does not change at all: a tone. No voice is that steady."""
    change = np.maximum(features.shape_change_db, features.level_change_db)
    if len(change) < _STEADY_FRAMES:
        return np.zeros(len(change), np.bool_)
    still = np.convolve(change < _STEADY_CHANGE_DB, np.ones(_STEADY_FRAMES, np.int32), "valid") == _STEADY_FRAMES
    return np.convolve(still, np.ones(_STEADY_FRAMES, np.int32), "full") > 0


def stretches(candidates: NDArray[np.bool_], *, join_frames: int = _JOIN_FRAMES) -> Iterator[tuple[int, int]]:
    """Runs of candidate frames; runs with a short gap between them are one."""
    found = np.flatnonzero(candidates)
    if not len(found):
        return
    breaks = np.flatnonzero(np.diff(found) > join_frames)
    starts = np.concatenate(([found[0]], found[breaks + 1]))
    ends = np.concatenate((found[breaks], [found[-1]])) + 1
    yield from zip(starts.tolist(), ends.tolist(), strict=True)


def is_speech(features: FrameFeatures, start: int, end: int) -> bool:
    """Whether these frames vary and change as speech does."""
    level = features.level_db[start:end]
    active = level > max(_SILENCE_DB, float(np.percentile(level, 95)) - _ACTIVE_RANGE_DB)
    if active.sum() < _LEAST_FRAMES:
        return False
    spread = float(features.shape_db[start:end][active].std(axis=0).mean())
    change = float(np.median(features.shape_change_db[start:end][active]))
    leniency = 0.85 if active.sum() < _SHORT_FRAMES else 1.0  # too few frames to measure well: rather a word too many
    return spread > _LEAST_SHAPE_SPREAD_DB * leniency and change > _LEAST_SHAPE_CHANGE_DB * leniency


def _padded(spoken: Iterable[tuple[int, int]], *, frame_samples: int, total: int) -> Iterator[Region]:
    """Room before and after each stretch, where soft consonants hide; what then touches becomes one."""
    current: Region | None = None
    for first, last in spoken:
        start = max(0, first - BEFORE_FRAMES) // _ALIGN_FRAMES * _ALIGN_FRAMES * frame_samples
        end = min(total, -(-(last + _AFTER_FRAMES) // _ALIGN_FRAMES) * _ALIGN_FRAMES * frame_samples)
        if current is not None and start <= current.end:
            current = Region(start=current.start, end=end)
            continue
        if current is not None:
            yield current
        current = Region(start=start, end=end)
    if current is not None:
        yield current
