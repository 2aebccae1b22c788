"""Synthesis of one shape as a CUDA graph."""

from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from passband.errors import InputError
from passband.vocoder._adaptive_norm import check_condition
from passband.vocoder._packed import Precision

_KIND = "cuda"
_WARM_UP = 3  # passes in which libraries choose their algorithms and take their memory


@runtime_checkable
class Capturable(Protocol):
    """What is used of a vocoder."""

    backbone: Any
    channels: int

    def parameters(self) -> Any: ...

    def _check(self, features: Tensor, length: int | None, least: int | None = None) -> None: ...

    def _together(
        self,
        rows: Tensor,
        bandwidth_id: int | Tensor | None,
        length: int | None,
        counts: Tensor | None,
        precision: Precision,
    ) -> Tensor: ...


class VocosGraph:
    """Synthesis of features of one shape, recorded once and replayed: `Vocos.cuda_graph` makes it.

    Each replay is a single launch, which pays where the kernels are shorter than their launches:
    for short sounds and small batches. Weights are read where they lie, so that changes in place
    are heard; replaced weights are not.

    Args:
        vocoder: what makes the sound, on a CUDA device, in ``eval`` mode.
        frames: of the features to come.
        batch: their items.
        bandwidth_id: for a vocoder of codes.
        precision: as for `Vocos`.

    Attributes:
        shape: of the features, ``(batch, bands, frames)``.

    Raises:
        InputError: for a vocoder that is not on a CUDA device, or sizes or a bandwidth out of
            range.

    Example:
        >>> from passband.vocoder import Vocos
        >>> graph = Vocos().cuda().eval().cuda_graph(94, batch=16)  # doctest: +SKIP
        >>> graph(torch.randn(16, 100, 94, device="cuda")).shape  # doctest: +SKIP
        torch.Size([16, 23808])

    Agrees with the vocoder to 1e-5 of the largest value in float32.
    """

    def __init__(
        self,
        vocoder: Capturable,
        frames: int,
        batch: int = 1,
        bandwidth_id: int | Tensor | None = None,
        precision: Precision = "float32",
    ) -> None:
        weight = next(vocoder.parameters())
        if weight.device.type != _KIND:
            raise InputError(
                f"a CUDA graph needs a vocoder on a CUDA device; this one is on {weight.device}. "
                "Move it with vocoder.cuda(), or call it as it is."
            )
        self._vocoder, self._precision = vocoder, precision
        self.shape = (batch, vocoder.channels, frames)
        check_condition(bandwidth_id, vocoder.backbone.conditions, batch)
        # A number would be copied to the device within the capture, which cannot wait for that.
        self._condition = (
            None if bandwidth_id is None else torch.as_tensor(bandwidth_id, device=weight.device)
        )
        self._features = weight.new_zeros(self.shape)
        vocoder._check(self._features, None)
        self._graph, self._audio = self._record()

    @torch.no_grad()
    def __call__(
        self, features: Float[Tensor, "*batch bands frames"]
    ) -> Float[Tensor, "*batch time"]:
        """Sound of ``features``, a tensor of its own.

        Raises:
            InputError: for features of another shape than the graph's, or of another kind.
        """
        if features.shape not in (self.shape, self.shape[self.shape[0] == 1 :]):
            raise InputError(
                f"`features` (shape {tuple(features.shape)}) must be {self.shape}, the shape of "
                "this graph. Make another with vocoder.cuda_graph, or call the vocoder."
            )
        self._vocoder._check(features, None)
        self._features.copy_(features.reshape(self.shape))
        self._graph.replay()
        return self._audio.clone().reshape(*features.shape[:-2], self._audio.shape[-1])

    @torch.no_grad()
    def _record(self) -> tuple[Any, Tensor]:
        here = self._features.device
        beside = torch.cuda.Stream(here)
        beside.wait_stream(torch.cuda.current_stream(here))
        with torch.cuda.stream(beside):
            for _ in range(_WARM_UP):
                self._pass()
        torch.cuda.current_stream(here).wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(here), torch.cuda.graph(graph):
            audio = self._pass()
        return graph, audio

    def _pass(self) -> Tensor:
        return self._vocoder._together(self._features, self._condition, None, None, self._precision)
