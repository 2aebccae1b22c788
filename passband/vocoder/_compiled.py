"""The pass over a vocoder's layers through ``torch.compile``."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from passband.errors import InputError
from passband.vocoder._frame_head import FrameHead


def coefficients(
    backbone: nn.Module,
    head: FrameHead,
    seen: Tensor,
    bandwidth_id: int | Tensor | None,
    mask: Tensor | None,
) -> Tensor:
    """Coefficients of the frames of sound: all that comes before the complex numbers."""
    return head.coefficients(head.projection(backbone(seen, bandwidth_id, mask)))


class CompiledPass:
    """`coefficients`, compiled when first used; copies and pickles begin anew.

    Args:
        args: of ``torch.compile``, after the function.
        options: of ``torch.compile``.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._args, self._options = args, options
        self._run: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self._args, self._options)

    def __call__(self, *inputs: Any) -> Tensor:
        """Coefficients of the frames of sound.

        Raises:
            InputError: torch cannot compile here, as without a compiler for C++.
        """
        from torch._dynamo.exc import BackendCompilerFailed  # noqa: PLC0415  its import costs 1 s

        if self._run is None:
            self._run = torch.compile(_own(), *self._args, **self._options)
        try:
            done: Tensor = self._run(*inputs)
        except BackendCompilerFailed as error:
            reason = str(error.inner_exception).strip().splitlines()[0].rstrip(".")
            raise InputError(
                f"torch.compile fails here: {reason}. Install a compiler for C++ (on a GPU: "
                "triton), or go on without it."
            ) from error
        return done


def _own() -> Callable[..., Tensor]:
    """`coefficients` as code of its own: of one piece torch keeps only a few compilations."""

    def run(*inputs: Any) -> Tensor:
        return coefficients(*inputs)

    run.__code__ = run.__code__.replace()
    return run


def _again(args: tuple[Any, ...], options: dict[str, Any]) -> CompiledPass:
    return CompiledPass(*args, **options)
