import numpy as np
import torch
from torch import Tensor

from passband.vocoder.discriminators import Verdict
from passband.vocoder.losses import discriminator_hinge, feature_matching, generator_hinge


def verdicts(seed: int) -> list[Verdict]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=generator) * 2

    return [Verdict(draw(3, 7), (draw(3, 4, 5), draw(3, 2))), Verdict(draw(3, 50), (draw(3, 9),))]


def test_hinges_are_the_formulas_discriminator_by_discriminator() -> None:
    real, made = verdicts(0), verdicts(1)
    expected = np.mean(
        [
            np.maximum(0, 1 - x.logits.numpy()).mean() + np.maximum(0, 1 + y.logits.numpy()).mean()
            for x, y in zip(real, made, strict=True)
        ]
    )
    np.testing.assert_allclose(discriminator_hinge(real, made).numpy(), expected, rtol=1e-12)
    wanted = np.mean([np.maximum(0, 1 - y.logits.numpy()).mean() for y in made])
    np.testing.assert_allclose(generator_hinge(made).numpy(), wanted, rtol=1e-12)


def test_features_are_summed_over_layers_and_averaged_over_discriminators() -> None:
    real, made = verdicts(0), verdicts(1)
    sums = [
        sum(
            np.abs(a.numpy() - b.numpy()).mean()
            for a, b in zip(x.features, y.features, strict=True)
        )
        for x, y in zip(real, made, strict=True)
    ]
    np.testing.assert_allclose(feature_matching(real, made).numpy(), np.mean(sums), rtol=1e-12)
    assert feature_matching(real, real) == 0


def test_nothing_is_learned_through_the_recorded_sound() -> None:
    real = Verdict(torch.zeros(1, 1), (torch.ones(2, 2, requires_grad=True),))
    made = Verdict(torch.zeros(1, 1), (torch.zeros(2, 2, requires_grad=True),))
    feature_matching([real], [made]).backward()
    assert real.features[0].grad is None
    assert torch.equal(made.features[0].grad, torch.full((2, 2), -0.25))


def test_a_margin_pulls_no_more() -> None:
    logits = torch.tensor([[1.5, 0.5, -2.0]], requires_grad=True)
    generator_hinge([Verdict(logits, ())]).backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[0.0, -1 / 3, -1 / 3]]))
