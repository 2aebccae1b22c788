"""Training settings from tiny-cuda-nn's tables ``loss`` and ``optimizer``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field

from passband.errors import InputError
from passband.inr._scene import Adam, ConstantSchedule, TrainingSettings
from passband.inr.settings import Settings
from passband.inr.tcnn._config import Otype, otype_of, read_config, read_table, table_of

_LOSSES = {
    "L2": "l2",
    "L1": "l1",
    "RelativeL2": "relative_l2",
    "RelativeL1": "relative_l1",
    "MAPE": "mape",
    "SMAPE": "smape",
    "RelativeL2Luminance": "relative_l2_luminance",
    "CrossEntropy": "cross_entropy",
    "Variance": "variance",
}
_OPTIMIZERS = (
    "Adam",
    "Average",
    "Batched",
    "Composite",
    "EMA",
    "ExponentialDecay",
    "Lookahead",
    "Novograd",
    "SGD",
    "Shampoo",
)


class _Decay(Settings):
    """Keys of ``ExponentialDecay``."""

    decay_base: Annotated[float, Field(gt=0)] = 0.1
    decay_start: Annotated[int, Field(ge=0)] = 10_000
    decay_end: Annotated[int, Field(ge=0)] = 10_000_000
    decay_interval: Annotated[int, Field(ge=1)] = 10_000


class _Adam(Settings):
    """Keys of ``Adam``."""

    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    beta1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: Annotated[float, Field(gt=0)] = 1e-8
    l2_reg: Annotated[float, Field(ge=0, le=1e6)] = 1e-8


_ADAM = Otype(
    _Adam,
    {key: key for key in _Adam.model_fields},
    only={"adabound": False, "relative_decay": 0, "absolute_decay": 0},
)
_DECAY = Otype(_Decay, {"nested": None, **{key: key for key in _Decay.model_fields}})


def tcnn_training_settings(
    config: Mapping[str, Any] | str | Path, *, steps: int
) -> TrainingSettings:
    """Loss, optimiser and learning rate of a tiny-cuda-nn definition, where they exist here.

    Losses L2, L1 and RelativeL2; the optimiser Adam, alone or inside an ExponentialDecay that
    starts after the last step. Its ``l2_reg`` goes into the field:
    :func:`tcnn_field_settings`.

    Args:
        config: the definition, or a JSON file of it.
        steps: length of the run, which the definition leaves open.

    Raises:
        InputError: a loss or an optimiser without a counterpart here, or a key or value that is not
            allowed, by name.

    Example:
        >>> settings = tcnn_training_settings({"optimizer": {"learning_rate": 1e-2}}, steps=100)
        >>> settings.loss, settings.optimizer.lr, settings.schedule.kind
        ('relative_l2', 0.01, 'constant')
    """
    tables, source = read_config(config)
    adam = _adam(table_of(tables, "optimizer", source), f"{source}: optimizer", steps)
    return TrainingSettings(
        steps=steps,
        loss=_loss(table_of(tables, "loss", source), f"{source}: loss"),  # type: ignore[arg-type]
        optimizer=Adam(lr=adam.learning_rate, beta1=adam.beta1, beta2=adam.beta2, eps=adam.epsilon),
        schedule=ConstantSchedule(),
    )


def l2_reg(tables: Mapping[str, Any], source: str) -> float:
    """Strength of the regularisation of weights in the innermost Adam, else 0."""
    if "optimizer" not in tables:
        return 0.0
    where = f"{source}: optimizer"
    table = table_of(tables, "optimizer", source)
    while "nested" in table:
        table, where = table_of(table, "nested", where), f"{where}.nested"
    if otype_of(table, dict.fromkeys(_OPTIMIZERS), "Adam", where) != "Adam":
        return 0.0
    found = read_table(table, _ADAM, where)
    assert isinstance(found, _Adam)
    return found.l2_reg


def _loss(table: Mapping[str, Any], where: str) -> str:
    name = otype_of(table, _LOSSES, "RelativeL2", where)
    here = get_args(TrainingSettings.model_fields["loss"].annotation)
    if _LOSSES[name] not in here:
        allowed = ", ".join(known for known, ours in _LOSSES.items() if ours in here)
        raise InputError(f"{where}: `otype` (={name}) is not offered here. Use one of {allowed}.")
    read_table(table, Otype(Settings), where)
    return _LOSSES[name]


def _adam(table: Mapping[str, Any], where: str, steps: int) -> _Adam:
    name = otype_of(table, dict.fromkeys(_OPTIMIZERS), "Adam", where)
    if name == "ExponentialDecay":
        decay = read_table(table, _DECAY, where)
        assert isinstance(decay, _Decay)
        if decay.decay_start < steps:
            raise InputError(
                f"{where}: `decay_start` (={decay.decay_start}) must be at least the {steps} steps "
                "of the run: decay in jumps is not offered here. Leave ExponentialDecay out and "
                'use a schedule of kind "exponential".'
            )
        return _adam(table_of(table, "nested", where), f"{where}.nested", steps)
    if name != "Adam":
        raise InputError(
            f"{where}: `otype` (={name}) is not offered here. Use Adam, alone or in "
            "ExponentialDecay."
        )
    found = read_table(table, _ADAM, where)
    assert isinstance(found, _Adam)
    return found
