"""Is this folder a model for sherpa-onnx, and which kind? Looked at before native code, which may end its process."""

from pathlib import Path

from callcenter.asr.errors import ModelBroken, ModelMissing

_NAMES = ("model.int8.onnx", "model.onnx")
_KINDS = ((b"sense_voice", "sense_voice"), (b"paraformer", "paraformer"))
_TAIL_BYTES = 1 << 20
"""A model's own description stands behind its weights."""


def check_files(model_path: Path) -> None:
    """Raises ModelMissing or ModelBroken unless the folder has a network of a kind that we drive, and its tokens."""
    kind_of(model_path)
    tokens = model_path / "tokens.txt"
    if not tokens.is_file() or not tokens.stat().st_size:
        raise ModelBroken(f"{model_path} lacks tokens.txt, or it is empty: unpack the model anew")


def network_of(model_path: Path) -> Path:
    """The smaller, quantised network where there are two."""
    if not model_path.is_dir():
        raise ModelMissing(
            f"no speech model at {model_path}: unpack a SenseVoice or Paraformer model of sherpa-onnx there"
        )
    for name in _NAMES:
        if (path := model_path / name).is_file() and path.stat().st_size:
            return path
    raise ModelBroken(f"{model_path} has neither {' nor '.join(_NAMES)}: it is no whole model for sherpa-onnx")


def kind_of(model_path: Path) -> str:
    """sense_voice or paraformer, as the network says of itself. Raises ModelMissing, ModelBroken."""
    network = network_of(model_path)
    with network.open("rb") as file:
        file.seek(max(0, network.stat().st_size - _TAIL_BYTES))
        tail = file.read()
    for mark, kind in _KINDS:
        if mark in tail:
            return kind
    raise ModelBroken(f"{network} is no SenseVoice or Paraformer model (or is cut short): these two are supported")
