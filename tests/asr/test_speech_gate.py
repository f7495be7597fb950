"""The gate must not cost words, and must not mind how a codec has cut the sound."""

import numpy as np
import pytest

from callcenter.asr.speech_gate import find_speech

from .conftest import RATE_HZ, Samples


def test_the_whole_utterance_is_inside_with_room_around_it(utterance: Samples) -> None:
    lead = np.zeros(4 * RATE_HZ, np.int16)
    regions = find_speech(np.concatenate([lead, utterance, lead]), rate_hz=RATE_HZ)
    assert regions[0].start <= 4 * RATE_HZ
    assert regions[-1].end >= 4 * RATE_HZ + len(utterance) - RATE_HZ // 2
    assert sum(region.end - region.start for region in regions) < len(utterance) + 2 * RATE_HZ


@pytest.mark.parametrize("level", [0.01, 0.1, 1.0])
def test_soft_speakers_are_heard(level: float, utterance: Samples) -> None:
    assert find_speech((utterance * level).astype(np.int16), rate_hz=RATE_HZ)


def test_speech_in_noise_is_heard(utterance: Samples) -> None:
    noise = np.random.default_rng(0).normal(0, utterance.std() / 3, len(utterance))
    noisy = (utterance + noise).clip(-32768, 32767).astype(np.int16)
    assert find_speech(noisy, rate_hz=RATE_HZ)


def test_speech_without_its_higher_tones_is_heard(utterance: Samples) -> None:
    spectrum = np.fft.rfft(utterance)
    spectrum[len(spectrum) // 2 :] = 0
    assert find_speech(np.fft.irfft(spectrum, len(utterance)).astype(np.int16), rate_hz=RATE_HZ)


def test_regions_start_on_the_recognisers_own_grid(utterance: Samples) -> None:
    for silence in (1000, 12_345, 20_001):
        late = np.concatenate([np.zeros(silence, np.int16), utterance])
        assert all(region.start % (RATE_HZ * 30 // 1000) == 0 for region in find_speech(late, rate_hz=RATE_HZ))


def test_nothing_at_all_is_no_speech() -> None:
    assert find_speech(np.zeros(0, np.int16), rate_hz=RATE_HZ) == ()
    assert find_speech(np.zeros(100, np.int16), rate_hz=RATE_HZ) == ()
