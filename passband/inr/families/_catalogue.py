"""The families that Passband knows by name."""

from passband.errors import InputError
from passband.inr._scene import FieldSettings
from passband.inr.families._family import Family
from passband.inr.settings import (
    BaconNetwork,
    FanNetwork,
    FinerGaussNetwork,
    FinerNetwork,
    FinerWaveletNetwork,
    FoneEncoding,
    FourierEncoding,
    FourierFilterNetwork,
    FrebisEncoding,
    FrequencyEncoding,
    GaborFilterNetwork,
    GaussNetwork,
    HashGridEncoding,
    IdentityEncoding,
    NeuRBFEncoding,
    NeuRBFNetwork,
    OneBlobEncoding,
    PanoramaEncoding,
    PositionalEncoding,
    ProgressiveNetwork,
    QuantizedEncoding,
    ReluNetwork,
    ReparameterizedReluNetwork,
    ReparameterizedSirenNetwork,
    SirenNetwork,
    TcnnNetwork,
    TriangleWaveEncoding,
    TriPlaneEncoding,
    WireNetwork,
)

_WIDTH = "network.hidden_features"
_PLAIN = IdentityEncoding()
_RELU = ReluNetwork(hidden_features=128, hidden_layers=3)
_TCNN = TcnnNetwork(hidden_features=128, hidden_layers=3)

_ALL = (
    Family(
        "relu", FieldSettings(encoding=_PLAIN, network=_RELU), "", _WIDTH, 2e-3,
        "a multilayer perceptron on the coordinates",
    ),
    Family(
        "siren", FieldSettings(encoding=_PLAIN, network=SirenNetwork()), "omega", _WIDTH, 5e-4,
        "Sitzmann et al., NeurIPS 2020",
    ),
    Family(
        "finer", FieldSettings(encoding=_PLAIN, network=FinerNetwork()), "omega", _WIDTH, 2e-4,
        "Liu et al., CVPR 2024",
    ),
    Family(
        "finer-bias",
        FieldSettings(
            encoding=_PLAIN, network=FinerNetwork(first_omega=30.0, first_bias_scale="match")
        ),
        "k", _WIDTH, 5e-4, "Liu et al., CVPR 2024",
    ),
    Family(
        "finer-gauss",
        FieldSettings(encoding=_PLAIN, network=FinerGaussNetwork(omega="match")),
        "omega", _WIDTH, 1e-3, "Zhu et al. (FINER++), 2024",
    ),
    Family(
        "finer-wavelet",
        FieldSettings(encoding=_PLAIN, network=FinerWaveletNetwork(omega="match")),
        "omega", _WIDTH, 1e-3, "Zhu et al. (FINER++), 2024",
    ),
    Family(
        "wire", FieldSettings(encoding=_PLAIN, network=WireNetwork(omega="match")), "omega",
        _WIDTH, 5e-3, "Saragadam et al., CVPR 2023",
    ),
    Family(
        "gauss", FieldSettings(encoding=_PLAIN, network=GaussNetwork(scale="match")), "scale",
        _WIDTH, 1e-3, "Ramasinghe & Lucey, ECCV 2022",
    ),
    Family(
        "fan", FieldSettings(encoding=_PLAIN, network=FanNetwork()), "omega", _WIDTH, 3e-3,
        "Dong et al., NeurIPS 2025",
    ),
    Family(
        "mfn-fourier", FieldSettings(encoding=_PLAIN, network=FourierFilterNetwork()),
        "input scale", _WIDTH, 1e-2, "Fathony et al., ICLR 2021",
    ),
    Family(
        "mfn-gabor", FieldSettings(encoding=_PLAIN, network=GaborFilterNetwork()),
        "input scale", _WIDTH, 1e-2, "Fathony et al., ICLR 2021",
    ),
    Family(
        "bacon", FieldSettings(encoding=_PLAIN, network=BaconNetwork()), "band", _WIDTH, 1e-2,
        "Lindell et al., CVPR 2022",
    ),
    Family(
        "progressive", FieldSettings(encoding=_PLAIN, network=ProgressiveNetwork()), "sigma",
        _WIDTH, 3e-3, "Landgraf et al. (PINs), ICML 2022",
    ),
    Family(
        "fr-siren", FieldSettings(encoding=_PLAIN, network=ReparameterizedSirenNetwork()),
        "omega", _WIDTH, 5e-4, "Shi et al. (FR-INR), CVPR 2024",
    ),
    Family(
        "fr-relu",
        FieldSettings(encoding=PositionalEncoding(), network=ReparameterizedReluNetwork()),
        "octaves", _WIDTH, 2e-3, "Shi et al. (FR-INR), CVPR 2024",
    ),
    Family(
        "fourier", FieldSettings(encoding=FourierEncoding(), network=_RELU), "sigma", _WIDTH, 3e-3,
        "Tancik et al., NeurIPS 2020",
    ),
    Family(
        "positional", FieldSettings(encoding=PositionalEncoding(), network=_RELU), "octaves",
        _WIDTH, 2e-3, "Mildenhall et al. (NeRF), ECCV 2020",
    ),
    Family(
        "quantized",
        FieldSettings(encoding=QuantizedEncoding(inner=PositionalEncoding()), network=_RELU),
        "octaves", _WIDTH, 2e-3, "Jiang et al. (CQ-NIR), ICCV 2023",
    ),
    Family(
        "frebis",
        FieldSettings(encoding=FrebisEncoding(), network=ReluNetwork(hidden_layers=1)),
        "octaves", "encoding.hidden_features", 3e-3, "Sawada et al., 2025",
    ),
    Family(
        "frequency",
        FieldSettings(encoding=FrequencyEncoding(n_frequencies="match"), network=_TCNN),
        "frequencies", _WIDTH, 3e-3, "Müller (tiny-cuda-nn), 2021",
    ),
    Family(
        "trianglewave",
        FieldSettings(encoding=TriangleWaveEncoding(n_frequencies="match"), network=_TCNN),
        "frequencies", _WIDTH, 3e-3, "Müller (tiny-cuda-nn), 2021",
    ),
    Family(
        "oneblob", FieldSettings(encoding=OneBlobEncoding(n_bins="match"), network=_TCNN), "bins",
        _WIDTH, 3e-3, "Müller et al., ACM TOG 2019",
    ),
    Family(
        "fone", FieldSettings(encoding=FoneEncoding(fraction_digits="match"), network=_RELU),
        "digits", _WIDTH, 3e-3, "Zhou et al. (FoNE), 2025",
    ),
    Family(
        "panorama", FieldSettings(encoding=PanoramaEncoding(degree="match"), network=_TCNN),
        "degree", _WIDTH, 3e-3, "spherical harmonics; Sloan, GDC 2008", axes=(2,),
    ),
    Family(
        "triplane",
        FieldSettings(encoding=TriPlaneEncoding(finest_resolution="match"), network=ReluNetwork()),
        "finest resolution", "encoding.n_features", 2e-2,
        "Zhuang et al. (LoD-NeuS), SIGGRAPH Asia 2023", axes=(2, 3), least=1,
    ),
    Family(
        "hashgrid", FieldSettings(encoding=HashGridEncoding(), network=ReluNetwork()),
        "finest resolution", "encoding.log2_hashmap_size", 2e-2,
        "Müller et al. (Instant NGP), ACM TOG 2022", exponent=True, least=4,
    ),
    Family(
        "neurbf", FieldSettings(encoding=NeuRBFEncoding(), network=NeuRBFNetwork()), "",
        "encoding.n_kernels", 1e-2, "Chen et al., ICCV 2023", axes=(2,), least=16,
    ),
    Family(
        "neurbf-3d",
        FieldSettings(
            encoding=NeuRBFEncoding(
                n_features=16, neighbours=4, multipliers=(1.0, 8.0), kernel="tent",
                grid=HashGridEncoding(
                    n_features_per_level=1, log2_hashmap_size=12, finest_resolution=512
                ),
            ),
            network=ReluNetwork(hidden_features=64, hidden_layers=2),
        ),
        "", "encoding.n_kernels", 2e-2, "Chen et al., ICCV 2023", axes=(3,), least=16,
    ),
)  # fmt: skip

FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
"""Every family by its name on the command line."""


def named_family(name: str, *, matched: bool = False) -> Family:
    """The family called ``name``.

    Args:
        name: as on the command line.
        matched: only one that has a knob will do.

    Raises:
        InputError: there is none of that name, or it has no knob.

    Example:
        >>> named_family("siren").knob
        'network.first_omega'
    """
    allowed = [known for known, family in FAMILIES.items() if family.knob or not matched]
    if name not in allowed:
        raise InputError(f"`field` (={name}) must be one of {', '.join(allowed)}.")
    return FAMILIES[name]
