"""What happens between the layers of a network: the slopes of its activations."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


@dataclass(frozen=True)
class LayerTrace:
    """One hidden layer at n points.

    Attributes:
        name: of the affine module, within the network.
        slopes: derivative of the activation at each unit (of its real part, where complex).
        distance: for a ReLU layer ``min_k |z_k| / |w_k|``, how far each point is from the nearest
            boundary in the space of the layer's input; None for other activations.
    """

    name: str
    slopes: Float[Tensor, "n units"]
    distance: Float[Tensor, " n"] | None


@dataclass(frozen=True)
class NetworkTrace:
    """A network at n points.

    Attributes:
        layers: the hidden layers, in the order in which they run.
        outputs: names of the affine modules whose values no other takes: the output layers.
    """

    layers: list[LayerTrace]
    outputs: list[str]


def affine_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers of a network: modules without children that own a matrix of weights.

    That is all a network has to have to be diagnosed, of whatever class its layers are.

    Example:
        >>> from passband.inr.networks import ReluMLP
        >>> list(affine_layers(ReluMLP(2, 1, hidden_layers=2)))
        ['layers.0', 'layers.1', 'layers.2']
    """
    return {
        name: module
        for name, module in network.named_modules()
        if next(module.children(), None) is None
        and any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))
    }


def trace_network(network: nn.Module, features: Float[Tensor, "n in_features"]) -> NetworkTrace:
    """Run ``network`` on ``features`` and look at what each layer hands to the next.

    The slope of a unit is the derivative of the input of the next layer by the output z of this
    one, taken by automatic differentiation: 0 or 1 for ReLU, ``cos z`` for a sine, ``-2 z
    exp(-z^2)`` for a Gaussian, whatever stands in between otherwise (elementwise, as activations
    are; in a network of products it is the factor that z is multiplied by).

    Args:
        network: takes the features.
        features: what its encoding gives.

    Example:
        >>> from passband.inr.networks import Siren
        >>> trace = trace_network(Siren(1, 1, hidden_features=8), torch.zeros(5, 1))
        >>> [layer.slopes.shape for layer in trace.layers][:1], trace.outputs
        ([torch.Size([5, 8])], ['layers.4'])
    """
    tracer = _Tracer()
    handles: list[RemovableHandle] = []
    for name, module in affine_layers(network).items():
        handles.append(module.register_forward_pre_hook(tracer.before))
        handles.append(module.register_forward_hook(tracer.after(name)))
    try:
        with torch.enable_grad():
            network(features.detach())
    finally:
        for handle in handles:
            handle.remove()
    return NetworkTrace(tracer.layers, list(tracer.pending))


@dataclass
class _Tracer:
    layers: list[LayerTrace] = field(default_factory=list)
    pending: dict[str, tuple[nn.Module, Tensor]] = field(default_factory=dict)

    def before(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Find the slopes of the layers that this input comes from, and cut the graph."""
        given = inputs[0]
        if given.requires_grad and self.pending:
            total = (given.real if given.is_complex() else given).sum()
            leaves = [leaf for _, leaf in self.pending.values()]
            slopes = torch.autograd.grad(total, leaves, allow_unused=True, retain_graph=True)
            for name, slope in zip(list(self.pending), slopes, strict=True):
                if slope is not None:
                    layer, leaf = self.pending.pop(name)
                    self.layers.append(_layer_trace(name, layer, leaf.detach(), slope))
        return (given.detach(), *inputs[1:])

    def after(self, name: str):  # type: ignore[no-untyped-def]
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            leaf = output.detach().requires_grad_()
            self.pending[name] = (module, leaf)
            return leaf.clone()  # an activation may write into what it is given

        return hook


def _layer_trace(name: str, module: nn.Module, z: Tensor, slope: Tensor) -> LayerTrace:
    slope = slope.real if slope.is_complex() else slope
    weight = getattr(module, "weight", None)
    steps = ((slope == 0) | (slope == 1)).all() and (slope == 0).any()
    distance = None
    if steps and isinstance(weight, Tensor) and weight.shape[0] == z.shape[-1]:
        norm = weight.detach().flatten(1).norm(dim=1).clamp_min(torch.finfo(z.dtype).tiny)
        distance = (z.abs() / norm).amin(dim=-1)
    return LayerTrace(name, slope, distance)
