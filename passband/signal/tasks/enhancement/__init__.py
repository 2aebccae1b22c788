"""Speech enhancement: noisy speech in, speech out, of whole sounds or while they arrive.

`load_enhancer` reads published weights of `GTCRN`, or what a training of FRCRN left; `enhance` and
`RateStream` take sounds of any rate through it.
"""

from passband.signal.tasks._speech_quality import intelligibility as intelligibility
from passband.signal.tasks._speech_quality import pesq_wideband as pesq_wideband
from passband.signal.tasks.enhancement._dnsmos import OpinionScores as OpinionScores
from passband.signal.tasks.enhancement._dnsmos import dnsmos as dnsmos
from passband.signal.tasks.enhancement._enhancer import CausalEnhancer as CausalEnhancer
from passband.signal.tasks.enhancement._enhancer import Enhancer as Enhancer
from passband.signal.tasks.enhancement._enhancer import EnhancerStream as EnhancerStream
from passband.signal.tasks.enhancement._enhancer import RateStream as RateStream
from passband.signal.tasks.enhancement._enhancer import enhance as enhance
from passband.signal.tasks.enhancement._load import load_enhancer as load_enhancer
from passband.signal.tasks.enhancement._picture import before_and_after as before_and_after
from passband.signal.tasks.enhancement._sound_files import EnhancedFile as EnhancedFile
from passband.signal.tasks.enhancement._sound_files import enhance_file as enhance_file
from passband.signal.tasks.enhancement._stream import MaskStream as MaskStream
from passband.signal.tasks.enhancement.gtcrn import GTCRN as GTCRN

__all__ = [
    "GTCRN",
    "CausalEnhancer",
    "EnhancedFile",
    "Enhancer",
    "EnhancerStream",
    "MaskStream",
    "OpinionScores",
    "RateStream",
    "before_and_after",
    "dnsmos",
    "enhance",
    "enhance_file",
    "intelligibility",
    "load_enhancer",
    "pesq_wideband",
]
