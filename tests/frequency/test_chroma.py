import math

import pytest
import torch

from passband.frequency import chroma_fbanks


def test_octaves_share_a_class() -> None:
    bank = chroma_fbanks(22050, 22050, octwidth=None)  # bins of one Hz
    for octave in (110, 220, 440, 880, 1760):
        assert int(bank[octave].argmax()) == 9
        assert int(bank[octave * 3].argmax()) == 4  # a twelfth above A: E
    assert int(chroma_fbanks(22050, 22050, base_c=False)[440].argmax()) == 0


def test_norm_of_a_bin() -> None:
    for norm in (1.0, 2.0, math.inf):
        bank = chroma_fbanks(22050, 1024, octwidth=None, norm=norm)
        sizes = torch.linalg.vector_norm(bank, norm, dim=1)
        torch.testing.assert_close(sizes, torch.ones(513, dtype=torch.float64))


def test_tuning_shifts_the_classes() -> None:
    flat = chroma_fbanks(22050, 44100, octwidth=None, tuning=0.0)
    sharp = chroma_fbanks(22050, 44100, octwidth=None, tuning=1.0)  # a whole class
    assert int(flat[880].argmax()) == 9
    assert int(sharp[round(880 * 2 ** (1 / 12))].argmax()) == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_fft": 1}, r"`n_fft` \(=1\) must be at least 2"),
        ({"n_fft": 0}, r"`n_fft` \(=0\) must be a positive integer"),
        ({"n_chroma": 0}, r"`n_chroma` \(=0\) must be a positive integer"),
        ({"sample_rate": 0}, r"`sample_rate` \(=0 Hz\) must be above 0"),
        ({"tuning": math.nan}, r"`tuning` \(=nan\) must be finite"),
        ({"octwidth": 0.0}, r"`octwidth` \(=0\) must be above 0, or None"),
        ({"norm": 0.0}, r"`norm` \(=0\) must be above 0, or None"),
    ],
)
def test_errors(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chroma_fbanks(**{"sample_rate": 22050, "n_fft": 512, **settings})
