"""SIREN on seven seconds of music: the matched omega against the usual 30, at equal steps.

Run: python benchmarks/audio.py
"""

import argparse
from typing import Any

from record import data_folder, write_result
from trial import trained_psnr

from passband.inr import FieldSettings, IdentityEncoding, SirenNetwork, with_knob
from passband.inr.matching import default_candidates, match_spectrum, measured_builder
from passband.inr.targets import audio_target

CLIPS = {
    "trumpet": "sorohanro_-_solo-trumpet-06.ogg",
    "strings": "Hungarian_Dance_number_5_-_Allegro_in_F_sharp_minor_(string_orchestra).ogg",
}
KNOB = "network.first_omega"
SETTINGS = FieldSettings(
    encoding=IdentityEncoding(), network=SirenNetwork(hidden_features=128, hidden_layers=3)
)
TRAINING: dict[str, Any] = {"steps": 600, "batch": 8192, "lr": 1e-3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    device = parser.parse_args().device
    rows = {}
    for name, file in CLIPS.items():
        target = audio_target(str(data_folder() / "audio" / "music" / file), duration=7.0)
        build = measured_builder(SETTINGS, KNOB, 1, target.info.channels)
        match = match_spectrum(target.signal, build, default_candidates(KNOB, target.info.size))
        quality = {}
        for omega in (match.value, 30.0):
            settings = with_knob(SETTINGS, KNOB, omega)
            quality[omega], seconds = trained_psnr(settings, target, device=device, **TRAINING)
            print(
                f"{name}: omega {omega:g}: {quality[omega]:.2f} dB in {seconds:.0f} s", flush=True
            )
        rows[name] = {
            "samples": target.info.count,
            "sample_rate": target.info.sample_rate,
            "matched_omega": match.value,
            "matched_db": quality[match.value],
            "omega_30_db": quality[30.0],
            "gain_db": quality[match.value] - quality[30.0],
            "matching_s": match.seconds,
        }
        print(f"{name}: {rows[name]['gain_db']:+.2f} dB, matching {match.seconds:.1f} s")
    write_result("audio", {"training": TRAINING, "clips": rows})


if __name__ == "__main__":
    main()
