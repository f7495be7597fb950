"""Train the network on the spoken sentences: frame by frame, against the durations that the voice itself used.

One pass after another draws its own line for every sentence (line.py). `WORK/network.pt` is written after each pass.
"""

import time

import numpy as np
import torch
from features import mfcc
from line import changed
from network import LEFT, RIGHT, STRIDE, Network, outputs_for, padded, save
from phones import CLASSES, frame_labels
from torch.nn import functional

CHUNK = 100  # output frames: 3 s
SPAN = STRIDE * (CHUNK - 1) + 1 + LEFT + RIGHT
BATCH = 32
RATE_AT_START, SMOOTHING, IGNORED = 8e-4, 0.05, -1


def chunks(utterance, chance):
    """(frames, labels) pieces of one sentence over a line of its own."""
    samples, classes, durations = utterance
    sound, speed = changed(samples, chance)
    frames = mfcc(sound)
    count = outputs_for(len(frames))
    labels, frames = frame_labels(classes, durations, count, speed), padded(frames)
    for start in range(0, count, CHUNK):
        if start and count - start < CHUNK // 3:
            return
        held = np.full(CHUNK, IGNORED, np.int16)
        part = labels[start : start + CHUNK]
        held[: len(part)] = part
        piece = frames[STRIDE * start :][:SPAN]
        yield np.pad(piece, ((0, SPAN - len(piece)), (0, 0)), mode="edge"), held


def train(utterances, target, *, width, passes, seed=1, log=print):
    """`utterances` is a function that gives them anew each pass. One thread: it is meant to run beside other work."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    chance, network, began = np.random.default_rng(seed), Network(width), time.process_time()
    optimiser = torch.optim.AdamW(network.parameters(), RATE_AT_START, weight_decay=1e-4)
    step, total = 0, None
    for number in range(passes):
        pieces = [piece for utterance in utterances() for piece in chunks(utterance, chance)]
        frames, labels = (np.stack([piece[n] for piece in pieces]) for n in (0, 1))
        order = chance.permutation(len(frames))
        batches = [order[at : at + BATCH] for at in range(0, len(order) - BATCH + 1, BATCH)] or [order]
        total = total or len(batches) * passes
        losses, right, seen = [], 0, 0
        network.train()
        for batch in batches:
            optimiser.param_groups[0]["lr"] = RATE_AT_START * _ramp(step, total)
            wanted = torch.from_numpy(labels[batch].astype(np.int64))
            found = network(torch.from_numpy(frames[batch]).transpose(1, 2).contiguous())
            loss = functional.cross_entropy(found, wanted, ignore_index=IGNORED, label_smoothing=SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            step += 1
            known = wanted != IGNORED
            losses.append(loss.item())
            right, seen = right + int((found.argmax(1)[known] == wanted[known]).sum()), seen + int(known.sum())
        priors = np.bincount(labels[labels != IGNORED].ravel(), minlength=len(CLASSES)) + 1.0
        save(target, network, priors / priors.sum())
        spent = time.process_time() - began
        log(
            f"pass {number + 1}: loss {np.mean(losses):.3f}, frames right {right / seen:.3f}, {spent:.0f} s CPU",
            flush=True,
        )


def _ramp(step, total):
    """Up over 100 steps, then down to nothing as a cosine."""
    return min(1.0, (step + 1) / 100) * max(0.01, 0.5 * (1 + np.cos(np.pi * min(1.0, step / total))))
