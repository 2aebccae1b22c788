"""What a run folder is a run of."""

from pathlib import Path

RECONSTRUCTION_FILE = "reconstruction.safetensors"
"""`passband.recon.MODEL_FILE`, said again: a picture's run need not wait for that room."""


def is_reconstruction(run: Path) -> bool:
    """Whether ``run`` is the run folder of photographs, or the file in it."""
    return run.name == RECONSTRUCTION_FILE or (run / RECONSTRUCTION_FILE).is_file()
