"""What the fit of a shape minimises, step by step."""

from jaxtyping import Float
from torch import Tensor

from passband.inr._field import Field
from passband.inr._objective import level_loss
from passband.inr.targets import ShapeSampler
from passband.training import StepOutput

_SOFTENING = 0.01


def mape(given: Float[Tensor, "*shape"], wanted: Float[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Mean absolute percentage error ``mean |given - wanted| / (|wanted| + 0.01)``, as a fraction.

    Args:
        given: signed distances of a field.
        wanted: true ones, in the same units; those of a cube of side 2 suit the constant.

    Example:
        >>> import torch
        >>> mape(torch.tensor([0.02, 0.1]), torch.tensor([0.01, 0.1]))
        tensor(0.2500)

    Reference: Müller, Evans, Schied, Keller, *Instant Neural Graphics Primitives with a
    Multiresolution Hash Encoding*, ACM Trans. Graph. 41(4), 2022 (signed distance functions).
    """
    return ((given - wanted).abs() / (wanted.abs() + _SOFTENING)).mean()


class ShapeObjective:
    """Relative error of a field's signed distances on batches on, near and around a shape.

    Args:
        field: what is trained, from 3 coordinates to 1 distance, on its device.
        sampler: what deals out the points of the shape.
        steps: length of the run.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from passband.inr import encodings, networks
        >>> from passband.inr.targets import shape_target
        >>> corners = "v 0 0 0\\nv 1 0 0\\nv 0 1 0\\nv 0 0 1\\n"
        >>> file = Path(tempfile.mkdtemp()) / "corner.obj"
        >>> _ = file.write_text(corners + "f 1 3 2\\nf 1 2 4\\nf 1 4 3\\nf 2 3 4\\n")
        >>> field = Field(encodings.Identity(3), networks.ReluMLP(3, 1))
        >>> sampler = ShapeSampler(shape_target(str(file)), 64, seed=0, pool=256)
        >>> ShapeObjective(field, sampler, steps=600)(0).loss.shape
        torch.Size([])
    """

    def __init__(self, field: Field, sampler: ShapeSampler, *, steps: int) -> None:
        self._field, self._sampler, self._steps = field, sampler, steps

    def __call__(self, step: int) -> StepOutput:
        """Loss of the batch of ``step``, and the relative error of the field's last level."""
        self._field.set_progress(step / self._steps)
        loss, last, _ = level_loss(self._field, *self._sampler(step), mape)
        return StepOutput(loss, {"mape": last.detach()})
