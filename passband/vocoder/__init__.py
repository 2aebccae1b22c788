"""Features to sound: Vocos and its parts, its checkpoints, and a baseline without weights."""

from passband.vocoder._adaptive_norm import AdaLayerNorm as AdaLayerNorm
from passband.vocoder._convert import convert_to_passband as convert_to_passband
from passband.vocoder._convert import convert_to_published as convert_to_published
from passband.vocoder._convnext import ConvNeXtBackbone as ConvNeXtBackbone
from passband.vocoder._convnext import ConvNeXtBlock as ConvNeXtBlock
from passband.vocoder._cuda_graph import VocosGraph as VocosGraph
from passband.vocoder._encodec_features import EncodecFeatures as EncodecFeatures
from passband.vocoder._export import export_onnx as export_onnx
from passband.vocoder._frame_head import FrameHead as FrameHead
from passband.vocoder._griffin_lim import GriffinLim as GriffinLim
from passband.vocoder._imdct_heads import IMDCTCosHead as IMDCTCosHead
from passband.vocoder._imdct_heads import IMDCTSymExpHead as IMDCTSymExpHead
from passband.vocoder._imdct_heads import InverseMDCT as InverseMDCT
from passband.vocoder._istft_head import ISTFTHead as ISTFTHead
from passband.vocoder._linear_head import LinearHead as LinearHead
from passband.vocoder._mel_features import MelFeatures as MelFeatures
from passband.vocoder._pseudo_inverse import PseudoInverseMel as PseudoInverseMel
from passband.vocoder._resnet import ResidualBlock as ResidualBlock
from passband.vocoder._resnet import ResNetBackbone as ResNetBackbone
from passband.vocoder._settings import ConvNeXtSettings as ConvNeXtSettings
from passband.vocoder._settings import EncodecFeatureSettings as EncodecFeatureSettings
from passband.vocoder._settings import IMDCTCosHeadSettings as IMDCTCosHeadSettings
from passband.vocoder._settings import IMDCTSymExpHeadSettings as IMDCTSymExpHeadSettings
from passband.vocoder._settings import ISTFTHeadSettings as ISTFTHeadSettings
from passband.vocoder._settings import LinearHeadSettings as LinearHeadSettings
from passband.vocoder._settings import MelFeatureSettings as MelFeatureSettings
from passband.vocoder._settings import PseudoInverseSettings as PseudoInverseSettings
from passband.vocoder._settings import ResNetSettings as ResNetSettings
from passband.vocoder._settings import VocosSettings as VocosSettings
from passband.vocoder._stream import VocosStream as VocosStream
from passband.vocoder._vocos import Vocos as Vocos

__all__ = [
    "AdaLayerNorm",
    "ConvNeXtBackbone",
    "ConvNeXtBlock",
    "ConvNeXtSettings",
    "EncodecFeatureSettings",
    "EncodecFeatures",
    "FrameHead",
    "GriffinLim",
    "IMDCTCosHead",
    "IMDCTCosHeadSettings",
    "IMDCTSymExpHead",
    "IMDCTSymExpHeadSettings",
    "ISTFTHead",
    "ISTFTHeadSettings",
    "InverseMDCT",
    "LinearHead",
    "LinearHeadSettings",
    "MelFeatureSettings",
    "MelFeatures",
    "PseudoInverseMel",
    "PseudoInverseSettings",
    "ResNetBackbone",
    "ResNetSettings",
    "ResidualBlock",
    "Vocos",
    "VocosGraph",
    "VocosSettings",
    "VocosStream",
    "convert_to_passband",
    "convert_to_published",
    "export_onnx",
]
