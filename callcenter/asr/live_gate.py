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
        self._remember(joined[:whole])
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

    def _remember(self, samples: Samples) -> None:
        pcm = samples.tobytes()
        step = 2 * self._frame_samples
        voiced = [self._vad.is_speech(pcm[at : at + step], self._rate_hz) for at in range(0, len(pcm), step)]
        before = self._samples[-self._frame_samples :]
        fresh = measure_frames(np.concatenate((before, samples)), rate_hz=self._rate_hz)
        skip = len(before) // self._frame_samples
        kept = max(0, _REMEMBERED_FRAMES - len(voiced))
        dropped = max(0, len(self._voiced) - kept)
        self._features = _joined(self._features, fresh, dropped=dropped, skip=skip)
        self._voiced = np.concatenate((self._voiced[dropped:], np.array(voiced, np.bool_)))
        self._samples = np.concatenate((self._samples[dropped * self._frame_samples :], samples))
        self._begins_at += dropped * self._frame_samples

    def _speech(self) -> tuple[int | None, bool]:
        """(the frame at which the speech that still goes on begins, whether what was open is over)."""
        *_, last = (None, *stretches(candidate_frames(self._features, self._voiced)))
        if last is None or not is_speech(self._features, *last):
            return None, self._open
        quiet = len(self._voiced) - last[1]
        return (last[0] if quiet < _CLOSES_AFTER_FRAMES else None), quiet >= _CLOSES_AFTER_FRAMES


def _joined(before: FrameFeatures, fresh: FrameFeatures, *, dropped: int, skip: int) -> FrameFeatures:
    """`skip` frames of `fresh` were measured before, for the change from one to the next."""
    return FrameFeatures(
        level_db=np.concatenate((before.level_db[dropped:], fresh.level_db[skip:])),
        level_change_db=np.concatenate((before.level_change_db[dropped:], fresh.level_change_db[skip:])),
        shape_db=np.concatenate((before.shape_db[dropped:], fresh.shape_db[skip:])),
        shape_change_db=np.concatenate((before.shape_change_db[dropped:], fresh.shape_change_db[skip:])),
    )
