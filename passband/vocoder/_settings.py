"""Settings of a vocoder: what it hears, its backbone, and how its frames become sound."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from torch import nn

from passband.vocoder._convnext import ConvNeXtBackbone
from passband.vocoder._encodec_features import BANDWIDTHS, EncodecFeatures
from passband.vocoder._frame_head import FrameHead
from passband.vocoder._imdct_heads import IMDCTCosHead, IMDCTSymExpHead
from passband.vocoder._istft_head import ISTFTHead
from passband.vocoder._linear_head import LinearHead
from passband.vocoder._mel_features import MelFeatures
from passband.vocoder._pseudo_inverse import PseudoInverseMel
from passband.vocoder._resnet import ResNetBackbone

Padding = Literal["center", "same"]
Channels = Annotated[int, Field(ge=1, le=65536)]
Layers = Annotated[int, Field(ge=1, le=256)]
Samples = Annotated[int, Field(ge=2, le=2**20)]
EvenSamples = Annotated[int, Field(ge=2, le=2**20, multiple_of=2)]
Scale = Annotated[float, Field(gt=0, le=10)]
Conditions = Annotated[int, Field(ge=1, le=1024)]


def _check_bandwidth(bandwidth: float) -> float:
    if bandwidth not in BANDWIDTHS:
        raise ValueError(f"it must be one of {', '.join(f'{b:g}' for b in BANDWIDTHS)} kbit/s")
    return bandwidth


Bandwidth = Annotated[float, AfterValidator(_check_bandwidth)]


class _Settings(BaseModel):
    """Unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def arguments(self) -> dict[str, Any]:
        """The values by name, without ``kind``: what the module they describe takes."""
        return {name: value for name, value in self if name != "kind"}


class MelFeatureSettings(_Settings):
    """Log-mel features."""

    kind: Literal["mel"] = "mel"
    sample_rate: Annotated[int, Field(ge=1000, le=768000)] = 24000
    n_fft: EvenSamples = 1024
    hop_length: Samples = 256
    n_mels: Channels = 100
    padding: Padding = "center"

    def build(self) -> MelFeatures:
        """The module."""
        return MelFeatures(**self.arguments())


class EncodecFeatureSettings(_Settings):
    """Features of EnCodec's codes at 24 kHz."""

    kind: Literal["encodec"] = "encodec"
    bandwidths: Annotated[tuple[Bandwidth, ...], Field(min_length=1)] = (1.5, 3.0, 6.0, 12.0)
    train_codebooks: bool = False

    def build(self) -> EncodecFeatures:
        """The module, its table drawn at random."""
        return EncodecFeatures(**self.arguments())


class PseudoInverseSettings(_Settings):
    """Mel features turned back towards a spectrum before the backbone (FreeV)."""

    kind: Literal["pseudo_inverse"] = "pseudo_inverse"


class ConvNeXtSettings(_Settings):
    """Backbone of ConvNeXt blocks."""

    kind: Literal["convnext"] = "convnext"
    dim: Channels = 512
    intermediate_dim: Channels = 1536
    num_layers: Layers = 8
    layer_scale: Scale | None = None
    conditions: Conditions | None = None

    def build(self, input_channels: int) -> ConvNeXtBackbone:
        """The module for features of so many channels."""
        return ConvNeXtBackbone(input_channels, **self.arguments())


class ResNetSettings(_Settings):
    """Backbone of dilated residual blocks."""

    kind: Literal["resnet"] = "resnet"
    dim: Channels = 512
    num_blocks: Layers = 3
    layer_scale: Scale | None = None
    conditions: Conditions | None = None

    def build(self, input_channels: int) -> ResNetBackbone:
        """The module for features of so many channels."""
        return ResNetBackbone(input_channels, **self.arguments())


class ISTFTHeadSettings(_Settings):
    """Head with the inverse STFT."""

    kind: Literal["istft"] = "istft"
    n_fft: EvenSamples = 1024
    padding: Padding = "center"

    def build(self, dim: int, hop_length: int, sample_rate: int) -> ISTFTHead:
        """The module for hidden frames of ``dim`` channels."""
        return ISTFTHead(dim, self.n_fft, hop_length, self.padding)


class IMDCTSymExpHeadSettings(_Settings):
    """Head with the inverse MDCT of symmetric exponentials; a frame is two hops."""

    kind: Literal["imdct_symexp"] = "imdct_symexp"
    padding: Padding = "same"
    mel_scaled: bool = False
    clip_audio: bool = False

    def build(self, dim: int, hop_length: int, sample_rate: int) -> IMDCTSymExpHead:
        """The module for hidden frames of ``dim`` channels."""
        rate = sample_rate if self.mel_scaled else None
        return IMDCTSymExpHead(dim, 2 * hop_length, self.padding, rate, self.clip_audio)


class IMDCTCosHeadSettings(_Settings):
    """Head with the inverse MDCT of magnitudes and cosines; a frame is two hops."""

    kind: Literal["imdct_cos"] = "imdct_cos"
    padding: Padding = "same"
    clip_audio: bool = False

    def build(self, dim: int, hop_length: int, sample_rate: int) -> IMDCTCosHead:
        """The module for hidden frames of ``dim`` channels."""
        return IMDCTCosHead(dim, 2 * hop_length, self.padding, self.clip_audio)


class LinearHeadSettings(_Settings):
    """Head of two linear layers (WaveNeXt)."""

    kind: Literal["linear"] = "linear"
    n_fft: Samples = 1024

    def build(self, dim: int, hop_length: int, sample_rate: int) -> LinearHead:
        """The module for hidden frames of ``dim`` channels."""
        return LinearHead(dim, self.n_fft, hop_length)


FeatureSettings = Annotated[
    MelFeatureSettings | EncodecFeatureSettings, Field(discriminator="kind")
]
BackboneSettings = Annotated[ConvNeXtSettings | ResNetSettings, Field(discriminator="kind")]
HeadSettings = Annotated[
    ISTFTHeadSettings | IMDCTSymExpHeadSettings | IMDCTCosHeadSettings | LinearHeadSettings,
    Field(discriminator="kind"),
]


class VocosSettings(_Settings):
    """A whole vocoder. The hop, and the channels between its parts, follow from the features.

    Example:
        >>> VocosSettings.mel_24khz().feature_extractor.hop_length
        256
        >>> VocosSettings(backbone=ConvNeXtSettings(dim=256, num_layers=4)).backbone.dim
        256
    """

    feature_extractor: FeatureSettings = MelFeatureSettings()
    input: PseudoInverseSettings | None = None
    backbone: BackboneSettings = ConvNeXtSettings()
    head: HeadSettings = ISTFTHeadSettings()

    @classmethod
    def mel_24khz(cls) -> "VocosSettings":
        """The published mel model: 13.5 M parameters."""
        return cls()

    @classmethod
    def encodec_24khz(cls) -> "VocosSettings":
        """The published EnCodec model: 7.9 M parameters beside the table of codes."""
        return cls(
            feature_extractor=EncodecFeatureSettings(),
            backbone=ConvNeXtSettings(dim=384, intermediate_dim=1152, conditions=4),
            head=ISTFTHeadSettings(n_fft=1280, padding="same"),
        )

    @model_validator(mode="after")
    def _parts_fit(self) -> "VocosSettings":
        features, conditions = self.feature_extractor, self.backbone.conditions
        if isinstance(features, EncodecFeatureSettings):
            if self.input is not None:
                raise ValueError("input pseudo_inverse needs feature_extractor mel")
            hop = EncodecFeatures.hop_length
            if conditions is not None and conditions < len(features.bandwidths):
                raise ValueError(
                    f"backbone.conditions (={conditions}) must be at least the "
                    f"{len(features.bandwidths)} bandwidths"
                )
        else:
            hop = features.hop_length
            if hop > features.n_fft:
                raise ValueError(f"hop_length (={hop}) must be at most n_fft (={features.n_fft})")
        if isinstance(self.head, ISTFTHeadSettings) and 2 * hop > self.head.n_fft:
            raise ValueError(
                f"head.n_fft (={self.head.n_fft}) must be at least twice the hop of {hop} samples"
            )
        return self

    def build(self) -> tuple[nn.Module, nn.Module | None, nn.Module, FrameHead]:
        """Feature extractor, what stands before the backbone if anything, backbone, head."""
        features = self.feature_extractor.build()
        channels = features.channels
        before = None
        if self.input is not None:
            assert isinstance(features, MelFeatures)
            before = PseudoInverseMel(features.filters)
            channels = before.channels
        backbone = self.backbone.build(channels)
        head = self.head.build(backbone.dim, features.hop_length, features.sample_rate)
        return features, before, backbone, head
