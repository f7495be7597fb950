"""Turns of a recording that holds both people in one channel: cut where a pause or a change of loudness says so.

Who of the two speaks is not told by loudness; every turn stays of an unknown side.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from callcenter.asr.engine import Utterance
from callcenter.asr.speech_features import FRAME_MS
from callcenter.domain.transcript import Word

PAUSE_MS = 600
"""So long a pause between two words begins another turn, whoever speaks."""
CHANGE_PAUSE_MS = 120
"""A breath: where it stands and the voice behind it is that much louder or softer, somebody else has taken over."""
CHANGE_DB = 6.0
"""Both ends of a line are seldom equally loud; within one speaker the level of words, averaged, wanders less."""
AVERAGED_WORDS = 4


def turns_of(heard: Utterance, level_db: NDArray[np.float32]) -> Iterator[Utterance]:
    """The utterance whole, or in its turns; other readings of it stay with it only where it is whole."""
    cuts = [at for at in range(1, len(heard.words)) if _is_change(heard.words, at, level_db)]
    if not cuts:
        yield heard
        return
    for start, end in zip([0, *cuts], [*cuts, len(heard.words)], strict=True):
        yield Utterance(words=heard.words[start:end])


def _is_change(words: Sequence[Word], at: int, level_db: NDArray[np.float32]) -> bool:
    pause_ms = words[at].start_ms - words[at - 1].end_ms
    if pause_ms >= PAUSE_MS:
        return True
    if pause_ms < CHANGE_PAUSE_MS:
        return False
    before = _level(words[max(0, at - AVERAGED_WORDS) : at], level_db)
    behind = _level(words[at : at + AVERAGED_WORDS], level_db)
    return abs(before - behind) >= CHANGE_DB


def _level(words: Sequence[Word], level_db: NDArray[np.float32]) -> float:
    """The louder half of the frames: vowels, which carry a voice's level."""
    frames = np.concatenate([level_db[word.start_ms // FRAME_MS : word.end_ms // FRAME_MS + 1] for word in words])
    return float(np.percentile(frames, 75)) if len(frames) else 0.0
