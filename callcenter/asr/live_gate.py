"""Where somebody begins and ends to speak, decided while the call goes on, by the measures of the speech gate."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from callcenter.asr.audio import Samples
from callcenter.asr.speech_features import FRAME_MS, FrameFeatures, measure_frames
from callcenter.asr.speech_gate import (
    BEFORE_FRAMES,
    LEAST_AGGRESSIVE_USEFUL_MODE,
    candidate_frames,
    is_speech,
    stretches,
)

_REMEMBERED_FRAMES = 3000 // FRAME_MS
"""What is judged at a time: enough to measure speech by, little enough to forget a tone that went before."""
_CLOSES_AFTER_FRAMES = 600 // FRAME_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """Samples to recognise, beginning at sample `start` of the side; `ends` where the speech is over behind them."""

    start: int
    samples: Samples
    ends: bool = False


class LiveGate:
    """One side of one call, fed in order. Nothing comes out while nobody speaks."""

    def __init__(self, *, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frame_samples = rate_hz * FRAME_MS // 1000
        self._vad = webrtcvad.Vad(LEAST_AGGRESSIVE_USEFUL_MODE)
        self._samples: Samples = np.empty(0, np.int16)
        self._features = measure_frames(self._samples, rate_hz=rate_hz)
        self._voiced: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._rest: Samples = np.empty(0, np.int16)
        self._begins_at = 0
        self._fed_until = 0
        self._open = False

    def add(self, samples: Samples) -> Iterator[Fed]:
        """Takes any number of samples; what is left over of a frame of 20 ms waits for the next ones."""
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) // self._frame_samples * self._frame_samples
        self._rest = joined[whole:]
        if not whole:
            return
        heard = self._remember(joined[:whole])
        if not self._open and not heard:
            return
        begins, ends = self._speech()
        if not self._open and begins is not None:
            self._open = True
            start = self._begins_at + max(0, begins - BEFORE_FRAMES) * self._frame_samples
            self._fed_until = max(self._fed_until, start)
        if self._open:
            yield self._feed(ends=ends)
            self._open = not ends

    def finish(self) -> Iterator[Fed]:
        """No more samples come."""
        if self._open:
            self._open = False
            yield self._feed(ends=True)

    def _feed(self, *, ends: bool) -> Fed:
        start = self._fed_until
        fed = self._samples[start - self._begins_at :]
        self._fed_until = start + len(fed)
        return Fed(start=start, samples=fed, ends=ends)

    def _remember(self, samples: Samples) -> bool:
        """Whether the detector of voices finds any in them; they are measured only when that is asked."""
        pcm = samples.tobytes()
        step = 2 * self._frame_samples
        voiced = [self._vad.is_speech(pcm[at : at + step], self._rate_hz) for at in range(0, len(pcm), step)]
        dropped = max(0, len(self._voiced) + len(voiced) - _REMEMBERED_FRAMES)
        self._voiced = np.concatenate((self._voiced, np.array(voiced, np.bool_)))[dropped:]
        self._samples = np.concatenate((self._samples, samples))[dropped * self._frame_samples :]
        self._begins_at += dropped * self._frame_samples
        self._features = _without_first(self._features, dropped)
        return any(voiced)

    def _measure(self) -> None:
        """What was remembered since the last time; the frame before it gives the change from one to the next."""
        known = len(self._features.level_db)
        first = max(0, known - 1)
        fresh = measure_frames(self._samples[first * self._frame_samples :], rate_hz=self._rate_hz)
        self._features = _joined(self._features, fresh, skip=known - first)

    def _speech(self) -> tuple[int | None, bool]:
        """(the frame at which the speech that still goes on begins, whether what was open is over)."""
        self._measure()
        *_, last = (None, *stretches(candidate_frames(self._features, self._voiced)))
        if last is None or not is_speech(self._features, *last):
            return None, self._open
        quiet = len(self._voiced) - last[1]
        return (last[0] if quiet < _CLOSES_AFTER_FRAMES else None), quiet >= _CLOSES_AFTER_FRAMES


def _without_first(features: FrameFeatures, dropped: int) -> FrameFeatures:
    return FrameFeatures(
        level_db=features.level_db[dropped:],
        level_change_db=features.level_change_db[dropped:],
        shape_db=features.shape_db[dropped:],
        shape_change_db=features.shape_change_db[dropped:],
    )


def _joined(before: FrameFeatures, fresh: FrameFeatures, *, skip: int) -> FrameFeatures:
    """`skip` frames of `fresh` were measured before, for the change from one to the next."""
    return FrameFeatures(
        level_db=np.concatenate((before.level_db, fresh.level_db[skip:])),
        level_change_db=np.concatenate((before.level_change_db, fresh.level_change_db[skip:])),
        shape_db=np.concatenate((before.shape_db, fresh.shape_db[skip:])),
        shape_change_db=np.concatenate((before.shape_change_db, fresh.shape_change_db[skip:])),
    )
