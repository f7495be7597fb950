"""The acoustic network: a small TDNN that looks at 29 frames (14 either side) and speaks every third frame."""

import numpy as np
import torch
from phones import CLASSES
from torch import nn
from torch.nn import functional

INPUTS = 40
LEFT = RIGHT = 14  # frames of context; the layers' offsets below add up to it
STRIDE = 3
OFFSETS = [[-1, 0, 1], [-1, 0, 1], *[[-3, 0, 3]] * 4]


class Network(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.BatchNorm1d(INPUTS, affine=False)
        first = [nn.Conv1d(INPUTS, width, 3), nn.Conv1d(width, width, 3, stride=STRIDE)]
        self.layers = nn.ModuleList([*first, *(nn.Conv1d(width, width, 3) for _ in range(4))])
        self.norms = nn.ModuleList([nn.BatchNorm1d(width, affine=False) for _ in self.layers])
        self.out = nn.Conv1d(width, len(CLASSES), 1)
        self.drop = nn.Dropout(0.05)

    def forward(self, frames):
        """batch x 40 x frames (with the context) -> batch x classes x frames / 3."""
        found = self.scale(frames)
        for layer, norm in zip(self.layers, self.norms, strict=True):
            found = self.drop(norm(functional.relu(layer(found))))
        return self.out(found)


def padded(frames):
    """With the context at either end, as Kaldi repeats the first and last frame."""
    return np.concatenate([np.repeat(frames[:1], LEFT, 0), frames, np.repeat(frames[-1:], RIGHT + STRIDE, 0)])


def outputs_for(frames):
    return (frames + STRIDE - 1) // STRIDE


def save(path, network, priors):
    torch.save({"width": network.layers[0].out_channels, "state": network.state_dict(), "priors": priors}, path)


def load(path):
    held = torch.load(path, weights_only=False)
    network = Network(held["width"])
    network.load_state_dict(held["state"])
    return network.eval(), held["priors"]
