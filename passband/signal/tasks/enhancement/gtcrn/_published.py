"""GTCRN's published weights under this project's names."""

from collections.abc import Mapping

import torch
from torch import Tensor

from passband.errors import InputError
from passband.signal.tasks.enhancement.gtcrn._gtcrn import GTCRN

_STRIDED = {"conv": "0", "bn": "1", "act": "2"}
_TEMPORAL = {
    "point_conv1": "expand.0",
    "point_bn1": "expand.1",
    "point_act": "expand.2",
    "depth_conv": "look_back.0",
    "depth_bn": "look_back.1",
    "depth_act": "look_back.2",
    "point_conv2": "reduce.0",
    "point_bn2": "reduce.1",
    "tra.att_gru": "attention.recurrence",
    "tra.att_fc": "attention.gate",
}
_DUAL_PATH = {
    "intra_rnn.rnn1": "across_bands.groups.0",
    "intra_rnn.rnn2": "across_bands.groups.1",
    "intra_fc": "bands_out",
    "intra_ln": "bands_norm",
    "inter_rnn.rnn1": "along_time.groups.0",
    "inter_rnn.rnn2": "along_time.groups.1",
    "inter_fc": "time_out",
    "inter_ln": "time_norm",
}
_BANDS = ("erb.erb_fc.weight", "erb.ierb_fc.weight")
_BLOCKS = 3  # temporal ones on each side


def from_published(weights: Mapping[str, Tensor]) -> GTCRN:
    """GTCRN with the weights of its authors' files, ready for use.

    Their decoder's blocks are transposed convolutions without stride: the same as convolutions
    with the taps in the reverse order, which is how they are kept here.

    Args:
        weights: the state of the authors' module, 271 tensors.

    Raises:
        InputError: other names or shapes, or other bands than `GTCRN` has.

    Example:
        >>> from_published({})
        Traceback (most recent call last):
        passband.errors.InputError: The weights (0 tensors) are not those of GTCRN, 271 of them.
    """
    model = GTCRN()
    names = _published_names()
    if set(weights) != {*names, *_BANDS}:
        raise InputError(
            f"The weights ({len(weights)} tensors) are not those of GTCRN, "
            f"{len(names) + len(_BANDS)} of them."
        )
    _require_bands(model, weights)
    try:
        model.network.load_state_dict(
            {ours: _turned(theirs, weights[theirs]) for theirs, ours in names.items()}
        )
    except RuntimeError as error:
        raise InputError(
            "The weights have the names of GTCRN but not its shapes: they are those of another "
            "size of it, or damaged."
        ) from error
    return model.eval()


def _published_names() -> dict[str, str]:
    """Ours of every tensor by theirs."""
    prefixes: dict[str, str] = {}
    for k in range(2):
        widening = _BLOCKS + k
        _place(prefixes, f"encoder.en_convs.{k}", f"narrowing.{k}", _STRIDED)
        _place(prefixes, f"decoder.de_convs.{widening}", f"widening.{k}", _STRIDED)
        _place(prefixes, f"dpgrnn{k + 1}", f"recurrences.{k}", _DUAL_PATH)
    for k in range(_BLOCKS):
        _place(prefixes, f"encoder.en_convs.{k + 2}", f"encoder.{k}", _TEMPORAL)
        _place(prefixes, f"decoder.de_convs.{k}", f"decoder.{k}", _TEMPORAL)
    owners = {ours: theirs for theirs, ours in prefixes.items()}
    with torch.device("meta"):
        wanted = GTCRN().network.state_dict()
    return {
        f"{owners[owner]}.{leaf}": name for name in wanted for owner, leaf in [name.rsplit(".", 1)]
    }


def _place(prefixes: dict[str, str], theirs: str, ours: str, parts: dict[str, str]) -> None:
    prefixes |= {f"{theirs}.{their}": f"{ours}.{our}" for their, our in parts.items()}


def _turned(name: str, weight: Tensor) -> Tensor:
    """A weight of a transposed convolution without stride as that of a convolution."""
    if not name.startswith("decoder.") or not name.endswith("weight"):
        return weight
    if ".point_conv" in name:
        return weight.transpose(0, 1)
    return weight.flip(-1, -2) if ".depth_conv" in name else weight


def _require_bands(model: GTCRN, weights: Mapping[str, Tensor]) -> None:
    merging, spreading = (weights[name] for name in _BANDS)
    ours = model.network.bands.weights
    for theirs in (merging, spreading.mT):
        if theirs.shape != ours.shape or not torch.allclose(theirs, ours, atol=1e-5):
            raise InputError(
                "The weights hold another division into bands than GTCRN's 65 and 64. Pass those "
                "that its authors published."
            )
