"""GTCRN: speech enhancement with 24 thousand learned numbers, frame by frame."""

from passband.signal.tasks.enhancement.gtcrn._bands import ErbBands as ErbBands
from passband.signal.tasks.enhancement.gtcrn._blocks import TemporalAttention as TemporalAttention
from passband.signal.tasks.enhancement.gtcrn._blocks import TemporalBlock as TemporalBlock
from passband.signal.tasks.enhancement.gtcrn._dual_path import DualPath as DualPath
from passband.signal.tasks.enhancement.gtcrn._dual_path import GroupedGRU as GroupedGRU
from passband.signal.tasks.enhancement.gtcrn._gtcrn import GTCRN as GTCRN
from passband.signal.tasks.enhancement.gtcrn._mask_network import MaskNetwork as MaskNetwork
from passband.signal.tasks.enhancement.gtcrn._published import from_published as from_published

__all__ = [
    "GTCRN",
    "DualPath",
    "ErbBands",
    "GroupedGRU",
    "MaskNetwork",
    "TemporalAttention",
    "TemporalBlock",
    "from_published",
]
