"""A small causal FRCRN, learned from speech and noise clips, on mixtures of others; a Wiener filter
that knows the noise of each mixture's first quarter of a second beside it.

Goal: 5 dB of SI-SNR. The run itself, on one core (R is the folder of real data; of the noises of
ESC-10 the six classes without voices):

    OMP_NUM_THREADS=1 passband train recipes/frcrn_small.toml --data R/audio/speech/ljspeech \\
        --set 'data.noise=["R/audio/esc10/audio/002*", "R/audio/esc10/audio/003*",
            "R/audio/esc10/audio/005*", "R/audio/esc10/audio/007*", "R/audio/esc10/audio/008*",
            "R/audio/esc10/audio/010*", "R/audio/noise/noise*.wav"]' \\
        --set 'data.held_out_speech=["LJ001-000[1-4]*"]' \\
        --set 'data.held_out_noise=["5-*", "noise5.wav"]' \\
        --set 'data.more_held_out=["R/audio/noisy_speech/clean", "R/audio/speech/*.wav"]' \\
        --out runs/frcrn_small

Then: python benchmarks/frcrn.py runs/frcrn_small
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from record import data_folder, write_result

from passband.media import read_audio
from passband.signal.tasks.enhancement import load_enhancer
from passband.signal.tasks.enhancement.learning import EnhancerRecipe, make_held_out, score
from passband.signal.tasks.enhancement.learning._results import available_measures, by_snr
from passband.signal.tasks.enhancement.learning._train import find_material
from passband.training import read_events
from passband.training.recipes import load_settings

WHO = ("noisy", "wiener", "enhanced")
MEASURES = ("si_snr", "pesq", "stoi")
SETTINGS_OF_THE_MACHINE = ("folder", "noise", "rooms", "more_held_out")


def recipe(run: Path) -> str:
    """The run's recipe, without where its clips lie on this machine."""
    import tomllib

    import tomli_w

    plain = tomllib.loads((run / "recipe.toml").read_text())
    for name in SETTINGS_OF_THE_MACHINE:
        plain["data"].pop(name, None)
    return tomli_w.dumps(plain)


def curve(run: Path, points: int = 100) -> list[dict[str, float]]:
    """SI-SNR of the crops every so many steps, means of what lies between."""
    events = read_events(run)
    size = max(1, len(events) // points)
    groups = [events[k : k + size] for k in range(0, len(events), size)]
    return [
        {"step": group[-1]["step"], "si_snr": sum(e["si_snr"] for e in group) / len(group)}
        for group in groups
    ]


def gain_by(name: str, mixtures: list[dict[str, Any]], words: dict[str, str]) -> dict[str, Any]:
    """SI-SNR gains of the mixtures whose name's part begins with each of ``words``."""
    part = {"speech": 0, "noise": 1}[name]
    rows: dict[str, Any] = {}
    for label, begins in words.items():
        here = [m for m in mixtures if m["name"].split(" + ")[part].startswith(begins)]
        if here:
            gains = [m["enhanced"]["si_snr"] - m["noisy"]["si_snr"] for m in here]
            rows[label] = {"mixtures": len(here), "si_snr_gain": sum(gains) / len(gains)}
    return rows


def published(run: Path) -> dict[str, Any]:
    """GTCRN with its published weights, learned from far more speech, on the same mixtures."""
    recipe = load_settings(EnhancerRecipe, run / "recipe.toml")
    held_out = make_held_out(*find_material(recipe).open(recipe)[1], recipe.data)
    weights = next((data_folder() / "weights" / "gtcrn").glob("*.tar"))
    scores = score(load_enhancer(weights), held_out, available_measures())
    return {"all": scores.means, "by_snr": by_snr(held_out, {"gtcrn": scores})}


def streaming(run: Path) -> dict[str, float]:
    """How near a stream of 20 ms blocks of a noisy voice comes to the whole, and what it costs."""
    model = load_enhancer(run)
    path = data_folder() / "audio" / "noisy_speech" / "noisy" / "p287_003.wav"
    sound = read_audio(path).samples[0]
    with torch.no_grad():
        whole = model(sound)
        stream, began = model.stream(), time.process_time()
        pieces = [stream.push(block) for block in sound.split(model.sample_rate // 50)]
        pieces.append(stream.finish())
        cost = time.process_time() - began
    return {
        "largest_difference": float((torch.cat(pieces) - whole).abs().max()),
        "latency_ms": 1000 * stream.latency / model.sample_rate,
        "processor_seconds_per_second": cost * model.sample_rate / len(sound),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("run", type=Path, help="folder of the finished run")
    run = parser.parse_args().run
    torch.set_num_threads(1)
    metrics = json.loads((run / "metrics.json").read_text())
    measures = [name for name in MEASURES if name in metrics["noisy"]]
    rows = [*metrics["by_snr"], {"snr_db": "all", **{who: metrics[who] for who in WHO}}]
    print(f"{'mixed at':>10}" + "".join(f"{f'{m} {who}':>18}" for m in measures for who in WHO))
    for row in rows:
        cells = "".join(f"{row[who][m]:18.3f}" for m in measures for who in WHO)
        print(f"{row['snr_db']!s:>10}{cells}")
    voices = {"LJ (heard voice, other clips)": "LJ", "p287": "p287", "LibriTTS": "libritts",
              "HiFi-TTS": "hifitts"}  # fmt: skip
    found = {
        "recipe": recipe(run),
        **{key: metrics[key] for key in ("parameters", "steps", "seconds", "files",
           "held_out_files", "si_snr_gain", *WHO, "by_snr")},
        "by_voice": gain_by("speech", metrics["mixtures"], voices),
        "stream": streaming(run),
        "gtcrn": published(run),
        "mixtures": metrics["mixtures"],
        "history": metrics["history"],
        "curve": curve(run),
    }  # fmt: skip
    for key in ("by_voice", "stream", "gtcrn"):
        print(key, json.dumps(found[key], indent=1))
    write_result("frcrn", found)


if __name__ == "__main__":
    main()
