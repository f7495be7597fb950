"""Whether a recording holds what was spoken: frame by frame, as RTP carried it."""

from dataclasses import dataclass

import numpy as np

FRAME = 160
"""Samples of a packet: 20 ms."""
QUIET = 48
PIECE = 4000
MOST_LOST_AT_ONCE = 50
MOST_PUT_IN_AT_ONCE = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Fidelity:
    """`correlation` of the frames that are there; the share of spoken ones that are missing, and of silent ones put in.

    A packet that comes late is recorded after a frame of silence: the sound is whole, with a delay of 20 ms.
    """

    correlation: float
    missing: float
    put_in: float


def fidelity(recorded: np.ndarray, spoken: np.ndarray) -> Fidelity:
    """From the loudest half second of the first two seconds' speech on, to the end of the recording."""
    heard, said = recorded.astype(float), spoken.astype(float)
    at, shift = anchor(heard, said)
    frames: list[tuple[np.ndarray, np.ndarray]] = []
    missing = put_in = 0
    while at + FRAME <= len(heard) and at + shift + FRAME <= len(said):
        here, there = heard[at : at + FRAME], said[at + shift : at + shift + FRAME]
        if _same(here, there):
            frames.append((here, there))
        elif np.abs(here).max() <= QUIET:
            put_in += 1
            shift -= FRAME
        else:
            moved = _moved(here, said, at + shift)
            missing += max(0, moved) or int(moved == 0)
            put_in += max(0, -moved)
            shift += moved * FRAME
        at += FRAME
    if not frames:
        return Fidelity(correlation=0.0, missing=1.0, put_in=0.0)
    one, other = (np.concatenate(side) for side in zip(*frames, strict=True))
    whole = len(frames) + missing
    return Fidelity(
        correlation=float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum())),
        missing=missing / whole,
        put_in=put_in / whole,
    )


def anchor(heard: np.ndarray, said: np.ndarray) -> tuple[int, int]:
    """A place in the recording, and how much later the same lies in what was spoken."""
    loud = np.convolve(heard**2, np.ones(PIECE), "valid")
    first = -(-int(np.argmax(loud > loud.max() / 4)) // FRAME) * FRAME
    piece = heard[first : first + PIECE]
    size = 1 << (len(said) + PIECE).bit_length()
    products = np.fft.irfft(np.fft.rfft(said, size) * np.conj(np.fft.rfft(piece, size)), size)[: len(said) - PIECE + 1]
    squares = np.concatenate(([0.0], np.cumsum(said**2)))
    energy = np.sqrt((squares[PIECE:] - squares[:-PIECE]) * (piece**2).sum())
    return first, int(np.argmax(products / np.maximum(energy, 1.0))) - first


def _same(here: np.ndarray, there: np.ndarray) -> bool:
    """A-law's error is a thirtieth of a loud sample; next to nothing is alike in silence."""
    return bool(np.abs(here - there).max() <= max(QUIET, np.abs(there).max() / 16))


def _moved(here: np.ndarray, said: np.ndarray, at: int) -> int:
    """How many spoken frames are missing before this one (below 0: put in, unnoticed in a pause); 0: it is none."""
    counts = [count for count in range(-MOST_PUT_IN_AT_ONCE, MOST_LOST_AT_ONCE) if count]
    begins = {count: at + count * FRAME for count in counts if 0 <= at + count * FRAME <= len(said) - FRAME}
    errors = {count: float(np.abs(here - said[at : at + FRAME]).max()) for count, at in begins.items()}
    best = min(errors, key=lambda count: errors[count], default=0)
    return best if best and _same(here, said[begins[best] : begins[best] + FRAME]) else 0
