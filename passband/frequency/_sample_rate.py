"""What is asked of a sample rate."""

import math


def require_sample_rate(sample_rate: float) -> None:
    """Raise unless ``sample_rate`` is a positive number of Hz."""
    if not 0 < sample_rate < math.inf:
        raise ValueError(
            f"`sample_rate` (={sample_rate} Hz) must be above 0. Pass the signal's, e.g. 22050."
        )
