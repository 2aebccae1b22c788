"""What a finished training leaves: scores, sounds and the report."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from passband.errors import OutputError
from passband.media import write_audio
from passband.training import LoopResult, read_events
from passband.vocoder._griffin_lim import GriffinLim
from passband.vocoder._settings import MelFeatureSettings
from passband.vocoder._vocos import Vocos
from passband.vocoder.learning._evaluation import HeldOut, Scores, Synthesis, score
from passband.vocoder.learning._recipe import Recipe
from passband.vocoder.learning._report import write_report

_SAMPLES = 4  # clips that are written and shown


def copy_synthesis(vocoder: Vocos) -> Synthesis:
    """Audio ``(time,)`` through the vocoder's features and back, at the highest bandwidth.

    Example:
        >>> from passband.vocoder import ConvNeXtSettings, VocosSettings
        >>> small = VocosSettings(backbone=ConvNeXtSettings(dim=8, num_layers=1))
        >>> copy_synthesis(Vocos(small).eval())(torch.randn(3000)).shape
        torch.Size([3000])
    """
    device = next(vocoder.parameters()).device
    bandwidths = getattr(vocoder.feature_extractor, "bandwidths", None)
    condition = len(bandwidths) - 1 if bandwidths else None

    def synthesis(audio: Tensor) -> Tensor:
        features = vocoder.features(audio.to(device), bandwidth_id=condition)
        sound: Tensor = vocoder(features, condition, length=audio.shape[-1])
        return sound

    return synthesis


def write_results(
    folder: Path, recipe: Recipe, vocoder: Vocos, held_out: HeldOut, result: LoopResult
) -> dict[str, Any]:
    """Score the vocoder, and Griffin-Lim from the same mel features; write sounds and report.

    Returns:
        The metrics.

    Raises:
        OutputError: the folder cannot be written.
    """
    mel = recipe.losses.mel_loss(vocoder.sample_rate)
    scores = {"vocoder": score(copy_synthesis(vocoder), held_out, mel)}
    features = recipe.model.feature_extractor
    if isinstance(features, MelFeatureSettings):
        scores["griffin_lim"] = score(_griffin_lim(features), held_out, mel)
    metrics: dict[str, Any] = {
        "kind": recipe.kind,
        "parameters": sum(p.numel() for p in vocoder.parameters() if p.requires_grad),
        "steps": recipe.training.steps,
        "seconds": result.seconds,
        "loss": result.loss,
        **{name: each.means for name, each in scores.items()},
        "clips": [
            {"name": name, **{who: each.rows[k] for who, each in scores.items()}}
            for k, name in enumerate(held_out.names)
        ],
        "history": result.history,
    }
    _write_samples(folder / "samples", held_out, scores)
    write_report(folder, metrics, read_events(folder), held_out, scores, count=_SAMPLES)
    return metrics


def _griffin_lim(settings: MelFeatureSettings) -> Synthesis:
    baseline = GriffinLim(settings, n_iter=32)

    def synthesis(audio: Tensor) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # of its first phases
            sound: Tensor = baseline(baseline.features(audio), length=audio.shape[-1])
        return sound

    return synthesis


def _write_samples(folder: Path, held_out: HeldOut, scores: dict[str, Scores]) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}.") from error
    for k, (name, clip) in enumerate(zip(held_out.names, held_out.clips, strict=True)):
        if k == _SAMPLES:
            break
        made = {who: each.sounds[k] for who, each in scores.items()}
        for who, sound in {"recorded": clip, **made}.items():
            path = folder / f"{k}_{Path(name).stem}_{who}.wav"
            write_audio(path, sound[None].clamp(-1, 1), held_out.sample_rate)
