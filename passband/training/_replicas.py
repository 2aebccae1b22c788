"""Processes that train one model together, each on its own share of every batch."""

import os
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from passband.errors import InputError, MissingDependencyError

if TYPE_CHECKING:
    from accelerate import Accelerator


class Replicas:
    """The processes of a run: alone by default, else those that ``accelerator`` joins.

    Weights begin equal in all of them and gradients are averaged, so they stay equal; the mean loss
    of n processes is that of one process with n times the batch. Only the main one writes.

    Args:
        accelerator: of the accelerate package, or None for one process.

    Attributes:
        index: number of this process, from 0.
        count: number of processes.

    Example:
        >>> alone = Replicas()
        >>> alone.index, alone.count, alone.main, alone.any(True)
        (0, 1, True, True)

    Reference: Li et al., PyTorch distributed: experiences on accelerating data parallel training,
    VLDB, 2020, section 3.1.
    """

    def __init__(self, accelerator: "Accelerator | None" = None) -> None:
        self._accelerator = accelerator
        self.index = 0 if accelerator is None else accelerator.process_index
        self.count = 1 if accelerator is None else accelerator.num_processes

    @property
    def main(self) -> bool:
        """Whether this is the process that writes."""
        return self.index == 0

    def average_gradients(self, model: nn.Module) -> None:
        """Put the mean over the processes in the place of every gradient of ``model``."""
        if self._accelerator is None:
            return
        # A parameter that one process did not use may well have been used by another.
        learned = [p for p in model.parameters() if p.requires_grad]
        for parameter in learned:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [p.grad for p in learned if p.grad is not None]
        if not gradients:
            return
        flat = self.mean(torch.cat([gradient.flatten() for gradient in gradients]))
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, part in zip(gradients, flat.split(sizes), strict=True):
            gradient.copy_(part.view_as(gradient))

    def mean(self, value: Tensor) -> Tensor:
        """Mean of ``value`` over the processes, each of which must call this."""
        if self._accelerator is None:
            return value
        reduced: Tensor = self._accelerator.reduce(value.detach().clone(), reduction="mean")
        return reduced

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is set in any process; each must call this."""
        if self._accelerator is None:
            return flag
        raised = torch.tensor(float(flag), device=self._accelerator.device)
        return bool(self.mean(raised) > 0)

    def wait(self) -> None:
        """Go on once all processes are here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()


def join_replicas(device: str = "auto") -> tuple[Replicas, str]:
    """The processes that a launcher started, and the device of this one.

    ``accelerate launch`` and ``torchrun`` say in the environment how many there are; where they say
    nothing this process is alone and ``device`` stays as it is.

    Args:
        device: ``auto``, ``cpu`` or ``cuda``; each process takes a GPU of its own.

    Returns:
        The replicas, and a name for `choose_device`.

    Raises:
        InputError: a single GPU is named for several processes.
        MissingDependencyError: several processes without the accelerate package.

    Example:
        >>> replicas, device = join_replicas("cpu")
        >>> replicas.count, device
        (1, 'cpu')
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Replicas(), device
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(
            f"`device` (={device}) must be auto, cpu or cuda in a run of several processes, each "
            "of which takes a device of its own. Leave the number out."
        )
    try:
        from accelerate import Accelerator  # noqa: PLC0415  only runs of several processes pay
    except ImportError as error:
        raise MissingDependencyError(
            "Training in several processes needs the accelerate package: pip install accelerate."
        ) from error
    accelerator = Accelerator(cpu=device == "cpu")
    return Replicas(accelerator), str(accelerator.device)
