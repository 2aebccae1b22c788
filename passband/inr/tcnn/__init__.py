"""tiny-cuda-nn's JSON definitions of encodings, networks and training, read as they are."""

from passband.inr.tcnn._field import from_tcnn_json as from_tcnn_json
from passband.inr.tcnn._field import tcnn_field_settings as tcnn_field_settings
from passband.inr.tcnn._training import tcnn_training_settings as tcnn_training_settings

__all__ = ["from_tcnn_json", "tcnn_field_settings", "tcnn_training_settings"]
