"""A trained model on the disk: its weights, and what is needed to build and to use it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from passband.errors import InputError
from passband.training import load_tensors, save_tensors

RECIPE_FILE = "recipe.toml"
_MODEL_FILE = "model.safetensors"


@dataclass(frozen=True)
class SavedModel:
    """What a run left of its model.

    Attributes:
        recipe: the nested dictionary of its recipe.
        facts: what it learned of the data beside weights, such as names of classes.
        weights: the state of the module.
        path: the file.
    """

    recipe: dict[str, Any]
    facts: dict[str, Any]
    weights: dict[str, Tensor]
    path: Path

    def restore(self, module: nn.Module) -> None:
        """Load the weights into ``module``.

        Raises:
            InputError: they belong to another module.
        """
        try:
            module.load_state_dict(self.weights)
        except RuntimeError as error:
            raise InputError(
                f"{self.path} does not fit the model of its own recipe; it was written by another "
                "version of passband, or changed. Train it again."
            ) from error


def save_model(
    folder: Path, kind: str, module: nn.Module, recipe: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    """Write ``module`` to ``folder/model.safetensors`` in one atomic step.

    Args:
        folder: of the run.
        kind: of the task, such as ``classifier``.
        module: its state is written.
        recipe: nested dictionary that builds it.
        facts: JSON-able; what it learned of the data beside weights.

    Raises:
        OutputError: the folder cannot be written.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> save_model(folder, "classifier", nn.Linear(2, 2), {}, {"classes": ["a", "b"]})
        >>> load_model(folder, "classifier").facts
        {'classes': ['a', 'b']}
    """
    meta = {"kind": kind, "recipe": dict(recipe), "facts": dict(facts)}
    save_tensors(folder / _MODEL_FILE, module.state_dict(), meta)


def load_model(folder: Path, kind: str) -> SavedModel:
    """Read what `save_model` wrote for the task ``kind``.

    Args:
        folder: a run's folder.
        kind: of the task that is wanted.

    Raises:
        InputError: there is no model, it is damaged, or one of another task.
    """
    path = folder / _MODEL_FILE
    if not path.is_file():
        unfinished = (folder / RECIPE_FILE).is_file()
        why = "its training has not ended" if unfinished else "it is not the folder of a run"
        cure = "Go on with --resume" if unfinished else "Pass the folder that passband train wrote"
        raise InputError(f"`--model` (={folder}) holds no {_MODEL_FILE}: {why}. {cure}.")
    weights, meta = load_tensors(path)
    found = meta.get("kind", "field")
    if found != kind:
        raise InputError(
            f"`--model` (={folder}) is a model of another task, {found}, not {kind}. Pass the "
            "folder of a run that was trained for this."
        )
    return SavedModel(meta["recipe"], meta["facts"], weights, path)
