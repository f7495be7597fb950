"""Is this folder a Vosk model? Looked at before libvosk does: a bad model can end the process that loads it."""

import re
from pathlib import Path

from callcenter.asr.engine import SAMPLE_RATES_HZ
from callcenter.asr.errors import ModelBroken, ModelMissing

_FST_MAGIC = b"\xd6\xfd\xb2\x7e"
_KALDI_BINARY = b"\x00B"
_GRAPHS = (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst", "graph/disambig_tid.int"))
_ALWAYS = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")
_IVECTOR = ("final.dubm", "final.ie", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf")


def check_files(model_path: Path) -> None:
    """Raises ModelMissing or ModelBroken unless the folder has every file that libvosk opens, none of them empty."""
    if not model_path.is_dir():
        raise ModelMissing(
            f"no speech model at {model_path}: run `callcenter models get NAME` or set the model's folder"
        )
    for name in _required(model_path):
        _check_file(model_path, name)


def sample_rate_hz(model_path: Path) -> int:
    """The rate the model was made for (Kaldi's default where its configuration does not say)."""
    text = (model_path / "conf/mfcc.conf").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"--sample-frequency=(\d+)", text)
    rate_hz = int(found.group(1)) if found else 16000
    if rate_hz not in SAMPLE_RATES_HZ:
        raise ModelBroken(f"{model_path}/conf/mfcc.conf asks for {rate_hz} Hz; only {SAMPLE_RATES_HZ} are supported")
    return rate_hz


def _required(model_path: Path) -> tuple[str, ...]:
    graph = next((names for names in _GRAPHS if (model_path / names[0]).exists()), None)
    if graph is None:
        raise ModelBroken(f"{model_path} has no graph (graph/HCLG.fst or graph/HCLr.fst): install the model anew")
    ivector = tuple(f"ivector/{name}" for name in _IVECTOR) if (model_path / "ivector").is_dir() else ()
    return (*_ALWAYS, *graph, *ivector)


def _check_file(model_path: Path, name: str) -> None:
    path = model_path / name
    if not path.is_file():
        raise ModelBroken(f"{model_path} lacks {name}: it is not a whole Vosk model; install it anew")
    with path.open("rb") as file:
        head = file.read(4)
    wanted = _FST_MAGIC if name.endswith(".fst") else _KALDI_BINARY if name.endswith(".mdl") else b""
    if not head or not head.startswith(wanted):
        raise ModelBroken(f"{path} is empty or damaged: install the model anew")
