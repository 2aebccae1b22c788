import io
import math
import subprocess
import sys
from collections import Counter

import pytest
import torch

from passband.errors import InputError
from passband.training import (
    Adam,
    ProgressReporter,
    ShuffledSampler,
    choose_device,
    cosine,
    derive_seed,
    exponential,
    format_duration,
    keep_freed_memory,
)


@pytest.mark.parametrize(("count", "batch"), [(10, 3), (7, 7), (5, 20), (1, 1), (100, 99)])
def test_sampler_sees_every_sample_equally_often(count: int, batch: int) -> None:
    sampler = ShuffledSampler(count, batch, seed=3)
    steps = count * 4
    seen = Counter(torch.cat([sampler(step) for step in range(steps)]).tolist())
    assert set(seen) == set(range(count))
    assert max(seen.values()) - min(seen.values()) <= 1


def test_sampler_depends_on_the_step_alone() -> None:
    forward = ShuffledSampler(50, 8, seed=1)
    batches = [forward(step) for step in range(20)]
    fresh = ShuffledSampler(50, 8, seed=1)
    for step in (19, 3, 11, 0):
        assert torch.equal(fresh(step), batches[step])
    assert not torch.equal(ShuffledSampler(50, 8, seed=2)(0), batches[0])


def test_derived_seeds_differ() -> None:
    seeds = {derive_seed(a, b, c) for a in range(10) for b in range(10) for c in range(10)}
    assert len(seeds) == 1000
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_cosine_is_torchs() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=1.0)
    peer = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30, eta_min=0.1)
    for step in range(30):
        assert cosine(step, 30, final=0.1) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        peer.step()


def test_warmup_rises_to_one_and_exponential_ends_at_final() -> None:
    rise = [cosine(step, 100, warmup=10) for step in range(11)]
    assert rise[:10] == pytest.approx([0.1 * k for k in range(1, 11)])
    assert rise[10] == pytest.approx(1.0)
    assert exponential(100, 100, final=0.03) == pytest.approx(0.03)


def test_unknown_device_is_named() -> None:
    with pytest.raises(InputError, match=r"`device` \(=gpu\) is not available"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match=r"`device` \(=cuda\) is not available"):
            choose_device("cuda")
        assert choose_device().type == "cpu"


def test_progress_off_a_terminal_is_plain_lines_with_everything() -> None:
    out = io.StringIO()
    with ProgressReporter(20, stream=out, interval=0.0) as progress:
        progress.update(5, loss=0.1, measures={"psnr": 16.0})
        progress.update(20, loss=0.01, measures={"psnr": 26.0})
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    for part in ("step 5/20", "loss 1.000e-01", "PSNR 16.00 dB", "steps/s", "left"):
        assert part in lines[0]
    assert "\x1b" not in out.getvalue()


def test_progress_on_a_terminal_is_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with ProgressReporter(20, stream=out) as progress:
        progress.update(10, loss=0.1, measures={"psnr": 16.0})
    assert "step 10/20" in out.getvalue()
    assert "━" in out.getvalue()


def test_durations() -> None:
    assert [format_duration(s) for s in (0, 59.6, 3599.7, 90061)] == [
        "0:00",
        "1:00",
        "1:00:00",
        "25:01:01",
    ]
    assert not math.isnan(float(keep_freed_memory()))


def test_adam_is_torchs_to_the_bit_and_brings_no_compiler() -> None:
    def trained(kind: type[torch.optim.Adam]) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        weight = torch.nn.Parameter(torch.randn(50, generator=generator))
        optimizer = kind([weight], lr=1e-2, betas=(0.9, 0.99), eps=1e-15, fused=True)
        for _ in range(20):
            optimizer.zero_grad(set_to_none=True)
            (weight.sin().sum() + weight.square().sum()).backward()
            optimizer.step()
        again = kind([weight], lr=1e-2, betas=(0.9, 0.99), eps=1e-15, fused=True)
        again.load_state_dict(optimizer.state_dict())
        weight.sum().backward()
        again.step()
        return weight.detach()

    assert torch.equal(trained(Adam), trained(torch.optim.Adam))
    code = (
        "import sys, torch; from passband.training import Adam\n"
        "weight = torch.nn.Parameter(torch.ones(2)); optimizer = Adam([weight], fused=True)\n"
        "weight.sum().backward(); optimizer.step(); optimizer.zero_grad(); optimizer.state_dict()\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
