"""What discriminator and generator want of the discriminators' verdicts."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import relu

from passband.vocoder.discriminators import Verdict


def discriminator_hinge(real: Sequence[Verdict], generated: Sequence[Verdict]) -> Tensor:
    """Mean over discriminators of ``E max(0, 1 - D(x)) + E max(0, 1 + D(y))``.

    Args:
        real: verdicts on recorded sounds x.
        generated: verdicts on generated sounds y, by the same discriminators.

    Returns:
        A scalar, 0 once all are told apart by a margin.

    Example:
        >>> right, wrong = Verdict(torch.ones(2, 3), ()), Verdict(-torch.ones(2, 3), ())
        >>> discriminator_hinge([right], [wrong]), discriminator_hinge([wrong], [right])
        (tensor(0.), tensor(4.))

    Reference: Lim & Ye, Geometric GAN, arXiv 1705.02894, 2017, eq. 16; Siuzdak, Vocos, ICLR, 2024,
    section 3.3.
    """
    losses = [
        relu(1 - _full(x.logits)).mean() + relu(1 + _full(y.logits)).mean()
        for x, y in zip(real, generated, strict=True)
    ]
    return torch.stack(losses).mean()


def generator_hinge(generated: Sequence[Verdict]) -> Tensor:
    """Mean over discriminators of ``E max(0, 1 - D(y))``.

    Args:
        generated: verdicts on generated sounds y.

    Returns:
        A scalar; what is already taken for real by a margin pulls no more.

    Example:
        >>> generator_hinge([Verdict(torch.tensor([[3.0, -1.0]]), ())])
        tensor(1.)

    Reference: Siuzdak, Vocos, ICLR, 2024, section 3.3; Zeghidour et al., SoundStream, IEEE/ACM
    Trans. ASLP 30, 2022, eq. 2.
    """
    return torch.stack([relu(1 - _full(verdict.logits)).mean() for verdict in generated]).mean()


def feature_matching(real: Sequence[Verdict], generated: Sequence[Verdict]) -> Tensor:
    """Mean over discriminators of the sum over their layers of ``E |f(x) - f(y)|``.

    Args:
        real: verdicts on recorded sounds x; nothing is learned through them.
        generated: verdicts on generated sounds y, item by item those of x.

    Returns:
        A scalar, 0 at equality.

    Example:
        >>> x, y = (Verdict(torch.zeros(1, 1), (v, v)) for v in (torch.ones(2), torch.zeros(2)))
        >>> feature_matching([x], [y])
        tensor(2.)

    Reference: Kumar et al., MelGAN, NeurIPS, 2019, eq. 4; Siuzdak, Vocos, ICLR, 2024, section 3.3.
    """
    losses = [
        torch.stack(
            [
                (_full(a.detach()) - _full(b)).abs().mean()
                for a, b in zip(x.features, y.features, strict=True)
            ]
        ).sum()
        for x, y in zip(real, generated, strict=True)
    ]
    return torch.stack(losses).mean()


def _full(x: Tensor) -> Tensor:
    """Autocast hands over half precision, in which a mean over many values is coarse."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
