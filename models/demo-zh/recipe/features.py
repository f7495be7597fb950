"""The 40 MFCCs that libvosk computes with the model's mfcc.conf, by the same code (kaldi-native-fbank)."""

import kaldi_native_fbank as fbank
import numpy as np

OPTIONS = fbank.MfccOptions()
OPTIONS.frame_opts.samp_freq = 8000
OPTIONS.frame_opts.dither = 0.0
OPTIONS.frame_opts.snip_edges = True
OPTIONS.mel_opts.num_bins = OPTIONS.num_ceps = 40
OPTIONS.mel_opts.low_freq = 40
OPTIONS.mel_opts.high_freq = -200
OPTIONS.use_energy = False
CONF = """--sample-frequency=8000
--use-energy=false
--num-mel-bins=40
--num-ceps=40
--low-freq=40
--high-freq=-200
--dither=0
--allow-upsample=true
--allow-downsample=true
"""


def mfcc(sound):
    """Frames x 40 of 8 kHz sound in 16-bit values."""
    found = fbank.OnlineMfcc(OPTIONS)
    found.accept_waveform(8000, sound.tolist())
    found.input_finished()
    return np.stack([found.get_frame(n) for n in range(found.num_frames_ready)]).astype(np.float32)
