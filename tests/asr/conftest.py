"""Recordings and a running transcriber with the real demo model."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from callcenter.asr.batch import Transcriber, TranscriberSettings
from callcenter.asr.engine import EngineSettings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests/samples/audio"
RATE_HZ = 8000

sys.path.insert(0, str(Path(__file__).parent))  # the faulty engines are imported by name in child processes

Samples = NDArray[np.int16]
Writer = Callable[..., Path]


@pytest.fixture(scope="session")
def demo_model() -> Path:
    return ROOT / "models/demo-zh"


@pytest.fixture(scope="session")
def engine(demo_model: Path) -> EngineSettings:
    return EngineSettings(model_path=demo_model)


@pytest.fixture
async def transcriber() -> AsyncIterator[Transcriber]:
    async with Transcriber(TranscriberSettings(processes=2)) as opened:
        yield opened


@pytest.fixture(scope="session")
def utterance() -> Samples:
    """Six seconds of a resident, 8 kHz."""
    with av.open(str(SAMPLES / "utterance_8k.wav")) as container:
        return np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)]).astype(np.int16)


@pytest.fixture
def write_audio(tmp_path: Path) -> Writer:
    """Write samples of shape (n,) or (n, 2) with any codec and header rate; returns the file."""

    def write(
        samples: NDArray[np.generic],
        name: str = "recording.wav",
        *,
        codec: str = "pcm_s16le",
        rate_hz: int = RATE_HZ,
        sample_format: str = "s16",
    ) -> Path:
        path = tmp_path / name
        channels = 1 if samples.ndim == 1 else samples.shape[1]
        layout = "stereo" if channels == 2 else "mono"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=rate_hz, layout=layout)
            assert isinstance(stream, AudioStream)
            for at in range(0, len(samples), 8192):
                part = np.ascontiguousarray(samples[at : at + 8192]).reshape(1, -1)
                frame = AudioFrame.from_ndarray(part, format=sample_format, layout=layout)
                frame.sample_rate, frame.pts = rate_hz, at
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write
