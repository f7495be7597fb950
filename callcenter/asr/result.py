"""What a transcription gives back."""

from dataclasses import dataclass
from typing import Literal

from callcenter.domain.transcript import Side, Transcript

Sides = Literal["stereo", "any"] | Side
"""How to read a recording: two sides in two channels (resident first), or everything one given side.

`any`: two channels are two sides, and one channel holds both, which is nothing to warn of.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SideReport:
    """One side of the recording. `peaks`: one byte (0..127) each twentieth of a second, for drawing the waveform."""

    side: Side
    speech_ms: int
    peaks: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """How the time was spent, in ms, by where voices are heard: silence is nobody's, cross-talk is both sides' at once.

    `cross_talk_ms` is None where the sides cannot be told apart.
    """

    silence_ms: int
    longest_silence_ms: int
    cross_talk_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TranscriptionResult:
    """`warnings` name what is doubtful about the recording:

    `truncated`, `longer_than_stated`, `mono_instead_of_stereo`, `sides_identical`,
    `skipped_packets:<count>`, `broken_samples:<count>`, `no_speech:<side>`, `clipped:<side>`.
    """

    transcript: Transcript
    duration_ms: int
    sides: tuple[SideReport, ...]
    talk: Talk
    warnings: tuple[str, ...] = ()
