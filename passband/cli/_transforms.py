"""The names of the transforms and the options that choose one, as both commands take them."""

from enum import StrEnum
from typing import Annotated

import typer


class TransformName(StrEnum):
    """What `passband.signal` offers by name."""

    STFT = "stft"
    MEL = "mel"
    LOGMEL = "logmel"
    PCEN = "pcen"
    MFCC = "mfcc"
    LFCC = "lfcc"
    LOGFREQUENCY = "logfrequency"
    CHROMA = "chroma"
    CEPSTRUM = "cepstrum"
    CQT = "cqt"
    VQT = "vqt"
    CWT = "cwt"
    SSQ_CWT = "ssq-cwt"
    SSQ_STFT = "ssq-stft"
    SUPERLETS = "superlets"
    COCHLEAGRAM = "cochleagram"
    GAMMATONE = "gammatone"
    REASSIGNED = "reassigned"
    MULTITAPER = "multitaper"
    WVD = "wvd"
    PSEUDO_WVD = "pseudo-wvd"


TransformOption = Annotated[
    TransformName, typer.Option("--transform", "-t", help="What to show of the sound.")
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Change a setting of the transform, such as hop_length=256; "
        "a wrong name lists those there are.",
    ),
]
ChannelOption = Annotated[
    str, typer.Option(metavar="mix|0|1|...", help="Mean of the channels, or one of them.")
]
RateOption = Annotated[int | None, typer.Option(metavar="HZ", help="Resample to this rate first.")]
