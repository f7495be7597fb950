"""Write a network as Kaldi's final.mdl (transition model and nnet3), its normalisation folded into the weights."""

import struct

import numpy as np
from network import OFFSETS
from phones import PHONES, class_of_phone

SELF_LOOP = 0.6
PRIOR_POWER = 0.6  # below 1: a rare sound is helped less than its share would have it


class _Writer:
    def __init__(self, file):
        self.file = file

    def token(self, text):
        self.file.write(text.encode() + b" ")

    def int32(self, *values):
        for value in values:
            self.file.write(b"\x04" + struct.pack("<i", value))

    def float32(self, value):
        self.file.write(b"\x04" + struct.pack("<f", value))

    def matrix(self, values):
        values = np.ascontiguousarray(values, "<f4")
        self.file.write(b"FM ")
        self.int32(*values.shape)
        self.file.write(values.tobytes())

    def vector(self, values):
        values = np.ascontiguousarray(values, "<f4")
        self.file.write(b"FV ")
        self.int32(len(values))
        self.file.write(values.tobytes())

    def int_vector(self, values):
        self.file.write(b"\x04" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes())


def write(path, network, priors, *, prior_power=PRIOR_POWER):
    layers = _layers(network)
    with path.open("wb") as file:
        file.write(b"\0B")
        out = _Writer(file)
        _transitions(out)
        _network(out, layers)
        out.token("<LeftContext>")
        out.int32(sum(-min(offsets) for _, offsets, _, _, _ in layers))
        out.token("<RightContext>")
        out.int32(sum(max(offsets) for _, offsets, _, _, _ in layers))
        out.token("<Priors>")
        softened = np.asarray(priors) ** prior_power
        out.vector(softened / softened.sum())


def _layers(network):
    """(name, offsets, weights, bias, what follows); each batch norm goes into the next layer."""
    found, (scale, shift) = [], _norm(network.scale)
    for number, (layer, norm) in enumerate(zip(network.layers, network.norms, strict=True)):
        weights = layer.weight.detach().numpy()  # out, in, 3
        bias = layer.bias.detach().numpy() + weights.sum(2) @ shift
        spread = np.concatenate([weights[:, :, tap] * scale for tap in range(3)], 1)
        found.append((f"tdnn{number + 1}", OFFSETS[number], spread, bias, "Rectified"))
        scale, shift = _norm(norm)
    weights = network.out.weight.detach().numpy()[:, :, 0]
    bias = network.out.bias.detach().numpy() + weights @ shift
    return [*found, ("output", [0], weights * scale, bias, "LogSoftmax")]


def _norm(norm):
    scale = 1 / np.sqrt(norm.running_var.numpy() + norm.eps)
    return scale, -norm.running_mean.numpy() * scale


def _transitions(out):
    count = len(PHONES)
    out.token("<TransitionModel>")
    out.token("<Topology>")
    out.int_vector(range(1, count + 1))
    out.int_vector([-1, *[0] * count])
    out.int32(1, 2, 0, 2, 0)  # one topology; two states; the first has class 0 and two transitions: to itself,
    out.float32(SELF_LOOP)
    out.int32(1)  # and to the last, which has none
    out.float32(1 - SELF_LOOP)
    out.int32(-1, 0)
    out.token("</Topology>")
    out.token("<Triples>")
    out.int32(count)
    for number, name in enumerate(PHONES, 1):
        out.int32(number, 0, class_of_phone(name))
    out.token("</Triples>")
    out.token("<LogProbs>")
    out.vector([0.0, *[np.log(SELF_LOOP), np.log(1 - SELF_LOOP)] * count])
    out.token("</LogProbs>")
    out.token("</TransitionModel>")


def _network(out, layers):
    inputs = layers[0][2].shape[1] // len(layers[0][1])
    lines, components, before = [f"input-node name=input dim={inputs}"], [], "input"
    for name, offsets, weights, bias, after in layers:
        parts = [f"Offset({before}, {offset})" if offset else before for offset in offsets]
        source = parts[0] if len(parts) == 1 else f"Append({', '.join(parts)})"
        for part, wanted in ((f"{name}.affine", source), (f"{name}.act", f"{name}.affine")):
            lines.append(f"component-node name={part} component={part} input={wanted}")
        components += [(f"{name}.affine", weights, bias), (f"{name}.act", after, len(bias))]
        before = f"{name}.act"
    lines.append(f"output-node name=output input={before} objective=linear")
    out.token("<Nnet3>")
    out.file.write(("\n" + "\n".join(lines) + "\n\n").encode())
    out.token("<NumComponents>")
    out.int32(len(components))
    for name, first, second in components:
        out.token("<ComponentName>")
        out.token(name)
        _affine(out, first, second) if isinstance(first, np.ndarray) else _activation(out, first, second)
    out.token("</Nnet3>")


def _affine(out, weights, bias):
    out.token("<FixedAffineComponent>")
    out.token("<LinearParams>")
    out.matrix(weights)
    out.token("<BiasParams>")
    out.vector(bias)
    out.token("</FixedAffineComponent>")


def _activation(out, kind, size):
    name = {"Rectified": "RectifiedLinearComponent", "LogSoftmax": "LogSoftmaxComponent"}[kind]
    out.token(f"<{name}>")
    out.token("<Dim>")
    out.int32(size)
    for statistics in ("<ValueAvg>", "<DerivAvg>"):
        out.token(statistics)
        out.vector([])
    out.token("<Count>")
    out.file.write(b"\x08" + struct.pack("<d", 0.0))
    out.token(f"</{name}>")
