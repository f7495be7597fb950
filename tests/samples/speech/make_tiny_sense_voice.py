"""A SenseVoice-shaped model that hears nothing but loudness: `python make_tiny_sense_voice.py FOLDER`, needs onnx.

sherpa-onnx loads it and runs its whole way (features, network, CTC, tokens, times); what it "hears" is which of a few
characters stands for how loud each 60 ms are. Made for tests, where no model that knows speech can be had.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MARKS = ("<blank>", "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>")
HEARD = ("水", "管", "漏", "了", "▁leak")
LOUDNESS = (9.0, 11.0, 13.0, 15.0, 17.0)
"""Mean of the 80 log mel energies at which each character is heard; far below, it is silence."""
FEATURES = 7 * 80
NOWHERE = 1e3


def model() -> onnx.ModelProto:
    centres = np.array([4.0, *[NOWHERE] * (len(MARKS) - 1), *LOUDNESS], np.float32).reshape(1, 1, -1)
    marks = np.full((1, 4, len(MARKS) + len(HEARD)), -NOWHERE, np.float32)
    marks[0, range(4), range(1, 5)] = 0.0
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["loudness"], axes=[2], keepdims=1),
        helper.make_node("Sub", ["loudness", "centres"], ["distance"]),
        helper.make_node("Mul", ["distance", "distance"], ["square"]),
        helper.make_node("Neg", ["square"], ["scores"]),
        helper.make_node("Concat", ["marks", "scores"], ["logits"], axis=1),
    ]
    one = helper.make_tensor_value_info
    inputs = [one("x", TensorProto.FLOAT, ["N", "T", FEATURES])]
    inputs += [one(name, TensorProto.INT32, ["N"]) for name in ("x_length", "language", "text_norm")]
    graph = helper.make_graph(
        nodes,
        "tiny_sense_voice",
        inputs,
        [one("logits", TensorProto.FLOAT, ["N", "L", len(MARKS) + len(HEARD)])],
        [numpy_helper.from_array(centres, "centres"), numpy_helper.from_array(marks, "marks")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    numbers = {
        "model_type": "sense_voice_ctc",
        "version": "1",
        "vocab_size": len(MARKS) + len(HEARD),
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "normalize_samples": 0,
        "with_itn": 14,
        "without_itn": 15,
        "lang_auto": 0,
        "lang_zh": 3,
        "lang_en": 4,
        "lang_yue": 7,
        "lang_ja": 11,
        "lang_ko": 12,
        "neg_mean": ",".join(["0.0"] * FEATURES),
        "inv_stddev": ",".join(["1.0"] * FEATURES),
    }
    helper.set_model_props(made, {name: str(value) for name, value in numbers.items()})
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model(), str(folder / "model.onnx"))
    lines = [f"{token} {number}" for number, token in enumerate((*MARKS, *HEARD))]
    (folder / "tokens.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
