"""Gradients of single samples, and how far those of two samples agree."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import functional_call, grad, vmap

from passband.inr import Field
from passband.inr.diagnosis._layers import trace_network
from passband.inr.diagnosis._samples import SignalPairs

Scalar = Callable[[Tensor, Tensor], Tensor]
Count = Callable[[int, int], None]
CHUNK_VALUES = 2**24
_MOST_ENCODING = 2**22
_MOST_VALUES = 2**27  # of all gradients by one part
_LEAST_POINTS = 36


def plain_copy(field: Field) -> Field:
    """A copy of ``field`` whose kernels are the plain torch ones, which can be vectorised."""
    copy = deepcopy(field)
    for module in copy.modules():
        if isinstance(getattr(module, "backend", None), str):
            module.backend = "reference"  # type: ignore[assignment]
    return copy


def parameter_parts(field: Field, x: Float[Tensor, "n d"]) -> dict[str, list[str]]:
    """Names of the trained parameters: ``hidden`` layers and, where it has any, ``encoding``.

    The layers whose values are the field's own are left out, as in the paper, unless there are no
    others; so is an encoding of more than 2^22 numbers, whose gradients would take minutes.

    Args:
        field: the field.
        x: some points, to see which layers come last.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_layers=1))
        >>> parameter_parts(field, torch.zeros(1, 2))
        {'hidden': ['network.layers.0.weight', 'network.layers.0.bias']}
    """
    with torch.no_grad():
        features = field.encoding(x)
    last = tuple(f"network.{name}." for name in trace_network(field.network, features).outputs)
    trained = {name: p.numel() for name, p in field.named_parameters() if p.requires_grad}
    network = [name for name in trained if name.startswith("network.")]
    hidden = [name for name in network if not name.startswith(last)] if last else network
    parts = {"hidden": hidden or network}
    encoding = [name for name in trained if name.startswith("encoding.")]
    if encoding and sum(trained[name] for name in encoding) <= _MOST_ENCODING:
        parts["encoding"] = encoding
    return {part: names for part, names in parts.items() if names}


def sample_gradients(
    field: Field,
    names: Sequence[str],
    scalar: Scalar,
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "n channels"],
) -> dict[str, Tensor]:
    """Gradient of ``scalar(field(x_i), y_i)`` by the parameters ``names``, for every sample i.

    All samples at once where the field can be vectorised, else one after another.

    Returns:
        ``(n, *shape)`` for every name.

    Example:
        >>> from passband.inr import encodings, networks
        >>> field = Field(encodings.Identity(2), networks.ReluMLP(2, 1, hidden_layers=0))
        >>> x = torch.rand(5, 2)
        >>> rows = sample_gradients(field, ["network.layers.0.weight"], squared_error, x, x[:, :1])
        >>> rows["network.layers.0.weight"].shape
        torch.Size([5, 1, 2])
    """
    parameters = dict(field.named_parameters())
    chosen = {name: parameters[name].detach() for name in names}

    def value(given: Mapping[str, Tensor], point: Tensor, wanted: Tensor) -> Tensor:
        return scalar(functional_call(field, dict(given), (point[None],))[0], wanted)

    try:
        with torch.no_grad():
            rows: dict[str, Tensor] = vmap(grad(value), in_dims=(None, 0, 0))(chosen, x, y)
        return rows
    except RuntimeError:  # a custom function, or a step that looks at values, has no such rule
        return _one_by_one(value, chosen, x, y)


def _one_by_one(
    value: Callable[..., Tensor], chosen: dict[str, Tensor], x: Tensor, y: Tensor
) -> dict[str, Tensor]:
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in chosen.items()}
    rows: dict[str, list[Tensor]] = {name: [] for name in leaves}
    for point, wanted in zip(x, y, strict=True):
        with torch.enable_grad():
            result = value(leaves, point, wanted)
        found = torch.autograd.grad(result, list(leaves.values()), materialize_grads=True)
        for name, gradient in zip(leaves, found, strict=True):
            rows[name].append(gradient)
    return {name: torch.stack(gradients) for name, gradients in rows.items()}


def squared_error(given: Tensor, wanted: Tensor) -> Tensor:
    """Mean over channels of the squared error of one sample."""
    return (given - wanted).square().mean()


def gradient_cosines(
    field: Field,
    parts: Mapping[str, Sequence[str]],
    pairs: SignalPairs,
    *,
    progress: Count = lambda done, total: None,
) -> dict[str, Float[Tensor, " pairs"]]:
    """``<g_1, g_2> / (|g_1| |g_2|)`` of the gradients of the squared error at two samples.

    Below zero a step that serves one sample harms the other: the two are confused. The gradient of
    a sample that is fitted exactly, or that reaches no parameter, is zero; its cosines count as 0.

    Args:
        field: the field, of plain kernels (:func:`plain_copy`) to be vectorised.
        parts: sets of parameters; each has a cosine of its own.
        pairs: the samples.
        progress: told how many pairs are done.

    Returns:
        For every part the cosine of every pair, on the CPU; of a large encoding, whose gradients
        take long, only of the first pairs.

    Example:
        >>> from passband.inr import encodings, networks
        >>> from passband.inr.diagnosis import SignalPoints
        >>> field = Field(encodings.Identity(1), networks.Siren(1, 1, hidden_features=4))
        >>> same = SignalPoints(torch.full((2, 1), 0.5), torch.tensor([[9.0], [-9.0]]))
        >>> pairs = SignalPairs(same, torch.tensor([0]), torch.tensor([1]))
        >>> parts = parameter_parts(field, same.x)
        >>> # One point cannot go both ways.
        >>> gradient_cosines(field, parts, pairs)["hidden"].round(decimals=4)
        tensor([-1.])

    Reference: Lazzari & Liu, *Understanding the Spectral Bias of Coordinate Based MLPs Via Training
    Dynamics*, arXiv 2301.05816, 2023; Sankararaman et al., *The Impact of Neural Network
    Overparameterization on Gradient Confusion*, ICML 2020, who bound the inner product instead.
    """
    sizes = {name: parameter.numel() for name, parameter in field.named_parameters()}
    found = {}
    for part, names in parts.items():
        size = sum(sizes[name] for name in names)
        some = pairs.among(max(_LEAST_POINTS, _MOST_VALUES // size)) if part != "hidden" else pairs
        step = max(1, CHUNK_VALUES // (2 * size))
        found[part] = _part_cosines(field, names, some, step, progress)
    return found


def _part_cosines(
    field: Field, names: Sequence[str], pairs: SignalPairs, step: int, progress: Count
) -> Tensor:
    device = next(field.parameters()).device
    total = len(pairs.first)
    found = []
    for start in range(0, total, step):
        ends = torch.stack([pairs.first[start : start + step], pairs.second[start : start + step]])
        used, (first, second) = torch.unique(ends, return_inverse=True)
        x, y = pairs.points.x[used].to(device), pairs.points.y[used].to(device)
        rows = sample_gradients(field, names, squared_error, x, y)
        gram = torch.stack([_gram(rows[name]) for name in names]).sum(dim=0)
        found.append(_cosines(gram.cpu(), first, second))
        progress(min(start + step, total), total)
    return torch.cat(found)


def _gram(rows: Tensor) -> Tensor:
    flat = rows.reshape(len(rows), -1)
    return flat @ flat.T


def _cosines(gram: Tensor, first: Tensor, second: Tensor) -> Tensor:
    norms = gram.diagonal().clamp_min(0).sqrt()
    scale = norms[first] * norms[second]
    cosines = gram[first, second] / scale
    return torch.where(scale > 0, cosines, 0.0).clamp(-1.0, 1.0)
