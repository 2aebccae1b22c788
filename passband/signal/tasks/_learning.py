"""How a task's model learns: settings that every recipe has, and the loop with AdamW."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import torch
from pydantic import Field
from torch import nn

from passband.training import LoopResult, LoopSettings, Objective, cosine, derive_seed, train
from passband.training.recipes import Settings

_WEIGHTS = 200  # stream of the initial weights

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class TrainingSettings(Settings):
    """How long and how a model learns: AdamW, its rate rising over ``warmup`` steps, then falling
    as a cosine to 0 (Loshchilov and Hutter, ICLR 2017 and 2019).

    Example:
        >>> TrainingSettings(steps=100).loop().evaluate_at
        [25, 50, 75, 100]
    """

    steps: Annotated[int, Field(ge=1, le=10**8)] = 2000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    lr: Annotated[float, Field(gt=0, le=1)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    warmup: Annotated[int, Field(ge=0)] = 0
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    evaluations: Annotated[int, Field(ge=1, le=10_000)] = 4
    log_every: Annotated[int, Field(ge=1)] = 20
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 30.0

    def loop(self) -> LoopSettings:
        """The same for `passband.training.train`."""
        steps, count = self.steps, self.evaluations
        return LoopSettings(
            steps=steps,
            precision=self.precision,
            clip_norm=self.clip_norm,
            log_every=self.log_every,
            checkpoint_seconds=self.checkpoint_seconds,
            evaluate_at=sorted({max(1, steps * k // count) for k in range(1, count + 1)}),
        )


def built_with_seed(build: Callable[[], ModuleT], seed: int) -> ModuleT:
    """The module that ``build`` makes, its initial weights drawn by ``seed`` alone.

    Example:
        >>> first, second = (built_with_seed(lambda: nn.Linear(2, 2), 3) for _ in range(2))
        >>> torch.equal(first.weight, second.weight)
        True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, _WEIGHTS))
        return build()


def learn(
    model: nn.Module,
    objective: Objective,
    settings: TrainingSettings,
    folder: Path,
    *,
    fingerprint: str,
    evaluate: Callable[[int], dict[str, Any]] = lambda step: {},
    resume: bool = False,
) -> LoopResult:
    """Minimise ``objective`` over the parameters of ``model``, exactly resumable.

    Whatever a step draws must be a function of the seed and the step's number
    (`passband.training.make_generator`), and dropout draws from torch's generator, which is not
    kept: draw its masks of the step's own generator.

    Args:
        model: what learns, on its device and in training mode.
        objective: loss of a step, a function of its number.
        settings: how long and how.
        folder: run folder, which exists (`passband.training.claim_folder`).
        fingerprint: text that says what is learned on what; see `digest_of`.
        evaluate: measures on held-out data after a number of steps; kept in the result's history.
        resume: go on from the checkpoint in ``folder`` if there is one.

    Raises:
        TrainingError: the loss is not finite; the last good checkpoint stays.
        InputError: the checkpoint belongs to another run.
        KeyboardInterrupt: on Ctrl-C, after the step and a checkpoint.

    Example:
        >>> import tempfile
        >>> from passband.training import StepOutput
        >>> weight = nn.Linear(1, 1, bias=False)
        >>> result = learn(
        ...     weight,
        ...     lambda step: StepOutput((weight.weight - 2.0).square().sum()),
        ...     TrainingSettings(steps=200, lr=0.1, weight_decay=0.0),
        ...     Path(tempfile.mkdtemp()),
        ...     fingerprint="example",
        ... )
        >>> round(weight.weight.item(), 1)
        2.0
    """
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        learned, lr=settings.lr, weight_decay=settings.weight_decay, fused=True
    )
    return train(
        model,
        optimizer,
        objective,
        settings=settings.loop(),
        schedule=partial(cosine, steps=settings.steps, final=0.0, warmup=settings.warmup),
        folder=folder,
        fingerprint=fingerprint,
        evaluate=evaluate,
        resume=resume,
    )


def digest_of(recipe_text: str, files: Iterable[Path]) -> str:
    """Of a recipe and of the names and sizes of its files: a run on others would be another run.

    Example:
        >>> len(digest_of("steps = 5", []))
        64
    """
    lines = [f"{path} {path.stat().st_size}\n" for path in files]
    return hashlib.sha256("".join([recipe_text, *lines]).encode()).hexdigest()
