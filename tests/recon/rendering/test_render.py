"""The renderer against a plain loop, and its gradients against finite differences."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Rays, near_far
from passband.recon.rendering import (
    Background,
    LearnedBackground,
    NeusOpacity,
    Opacity,
    PlainBackground,
    Rendering,
    Samples,
    Surface,
    UniformSampler,
    VolsdfOpacity,
    composite,
    place_rows,
    render_rays,
    render_samples,
    take_rows,
)
from passband.recon.rendering._composition import plain_composite
from passband.recon.rendering._rows import plain_normals, take_normals
from passband.recon.rendering._slopes import plain_slopes, ray_slopes

WHITE = (1.0, 0.875, 0.75)  # exact in float32


def opacities() -> list[Any]:
    neus = NeusOpacity(0.35, anneal_over=0.5)
    neus.set_progress(0.2)
    return [NeusOpacity(0.4).double(), neus.double(), VolsdfOpacity(0.03).double()]


def logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value > -700 else 0.0


def plain_alpha(opacity: Any, f: float, slope: float, length: float) -> float:
    if isinstance(opacity, VolsdfOpacity):
        beta = abs(opacity.b.item()) + 1e-4
        share = math.exp(-f / beta) / 2 if f > 0 else 1 - math.exp(f / beta) / 2
        return 1 - math.exp(-share / beta * length)
    s, r = math.exp(10 * opacity.v.item()), opacity.anneal
    cosine = -(max(0.5 - 0.5 * slope, 0) * (1 - r) + max(-slope, 0) * r)
    before = logistic(s * (f - cosine * length / 2))
    after = logistic(s * (f + cosine * length / 2))
    return min(max((before - after + 1e-5) / (before + 1e-5), 0), 1) if length > 0 else 0.0


def plain_ray(ball: Any, opacity: Any, o: Any, d: Any, samples: Any) -> list[float]:
    """Colour, opacity, depth and normal of one ray in Python's own numbers."""
    center, radius = ball.center.tolist(), ball.radius.item()
    passing, opaque, depth = 1.0, 0.0, 0.0
    color, normal = [0.0] * 3, [0.0] * 3
    for t, length in samples:
        x = [o[k] + t * d[k] for k in range(3)]
        away = [x[k] - center[k] for k in range(3)]
        norm = math.sqrt(sum(a * a for a in away))
        n = [a / norm for a in away]
        alpha = plain_alpha(opacity, norm - radius, sum(2 * n[k] * d[k] for k in range(3)), length)
        weight = alpha * passing
        passing *= 1 - alpha
        inputs = [*x, *n, *d, math.sin(3 * x[0]), math.sin(3 * x[1])]
        for k, row in enumerate(ball.mix.tolist()):
            color[k] += weight * logistic(sum(a * b for a, b in zip(row, inputs, strict=True)))
            normal[k] += weight * n[k]
        opaque += weight
        depth += weight * t
    color = [c + (1 - opaque) * w for c, w in zip(color, WHITE, strict=True)]
    return [*color, opaque, depth, *normal]


def summary(seen: Rendering) -> Tensor:
    # A ray that is hardly stopped has a depth of few digits; its sum has them all.
    depth = seen.opacity * seen.depth
    return torch.cat((seen.color, seen.opacity[:, None], depth[:, None], seen.normal), -1)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_matches_a_plain_loop(
    ball: Any, rays: Rays, number: int, dtype: torch.dtype, atol: float
) -> None:
    opacity = opacities()[number]
    near, far, _ = near_far(rays)
    samples = UniformSampler(48)(rays, near, far, generator=torch.Generator().manual_seed(1))
    samples.lengths[::3, ::5] = 0
    pairs = torch.stack((samples.depths, samples.lengths), -1).tolist()
    lists = zip(rays.origins.tolist(), rays.directions.tolist(), pairs, strict=True)
    expected = [plain_ray(ball, opacity, o, d, some) for o, d, some in lists]
    seen = render_samples(
        ball, opacity, Samples(samples.depths.to(dtype), samples.lengths.to(dtype)),
        Rays(rays.origins.to(dtype), rays.directions.to(dtype)),
        background=PlainBackground(WHITE).to(dtype), color_threshold=0.0,
    )  # fmt: skip
    assert 5 < (seen.opacity > 0.9).sum() < 40
    torch.testing.assert_close(
        summary(seen), torch.tensor(expected, dtype=dtype), atol=atol, rtol=0
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_gradients_match_finite_differences(ball: Any, rays: Rays, number: int) -> None:
    opacity, background = opacities()[number], LearnedBackground().double()
    few = Rays(rays.origins[:3], rays.directions[:3])
    near, far, _ = near_far(few)
    samples = UniformSampler(10)(few, near, far)
    samples.lengths[1, ::2] = 0
    parameters = [*ball.parameters(), *opacity.parameters(), *background.parameters()]

    def rendered(*_: Tensor) -> tuple[Tensor, ...]:
        seen = render_samples(ball, opacity, samples, few, background=background)
        return seen.color, seen.opacity, seen.depth, seen.normal, seen.weights

    assert torch.autograd.gradcheck(rendered, parameters, eps=1e-6, atol=1e-6)


def test_colors_left_out_take_the_mean_of_the_others(ball: Any, rays: Rays) -> None:
    near, far, _ = near_far(rays)
    samples = UniformSampler(200)(rays, near, far)

    def seen(threshold: float) -> tuple[Rendering, int]:
        before = ball.colors
        found = render_samples(
            ball, NeusOpacity(0.35).double(), samples, rays, color_threshold=threshold,
            background=PlainBackground(WHITE).double(),
        )  # fmt: skip
        return found, ball.colors - before

    (every, all_colors), (some, colors) = seen(0.0), seen(2e-3)
    assert all_colors == 200 * len(rays)
    assert colors < all_colors / 4
    torch.testing.assert_close(some.opacity, every.opacity, atol=0, rtol=0)
    torch.testing.assert_close(some.color, every.color, atol=1e-2, rtol=0)
    # Neither darker nor brighter on the whole.
    assert (some.color - every.color).mean().abs() < 1e-3


def test_a_gray_surface_stays_exactly_gray_under_a_threshold(ball: Any, rays: Rays) -> None:
    torch.nn.init.zeros_(ball.mix)
    near, far, _ = near_far(rays)
    samples = UniformSampler(60)(rays, near, far)
    seen = render_samples(ball, NeusOpacity(0.4).double(), samples, rays, color_threshold=0.05)
    shown = (seen.weights > 0.05).any(-1)
    assert shown.sum() > 10
    expected = 0.5 * seen.opacity[shown, None].expand(-1, 3)
    torch.testing.assert_close(seen.color[shown], expected)


@pytest.mark.parametrize("opacity", opacities())
def test_rays_that_miss_see_the_background_and_ask_nobody(ball: Any, opacity: Any) -> None:
    origins = torch.tensor([[0.0, 2.0, -3.0], [0.0, 0.0, -3.0], [0.0, 0.0, 3.0]]).double()
    rays = Rays(origins, torch.tensor([[0.0, 0.0, 1.0]]).double().expand(3, 3))
    near, far, hits = near_far(rays)
    assert hits.tolist() == [False, True, False]
    background = PlainBackground(WHITE).double()
    seen = render_rays(ball, opacity, UniformSampler(30), rays, near, far, background=background)
    assert (ball.distances, len(seen.points)) == (30, 30)
    torch.testing.assert_close(seen.color[::2], background(rays)[::2])
    for values in (seen.opacity, seen.depth, seen.normal, seen.weights):
        assert not values[::2].any()
    assert seen.opacity[1] > 0.99
    seen.color.sum().backward()
    assert all(p.grad.isfinite().all() for p in (*ball.parameters(), *opacity.parameters()))


@pytest.mark.parametrize("count", [0, 4])
def test_no_ray_or_none_that_hits(ball: Any, count: int) -> None:
    rays = Rays(torch.full((count, 3), 5.0), torch.eye(3)[[0] * count])
    near, far, _ = near_far(rays)
    background = PlainBackground(WHITE)
    seen = render_rays(
        ball, NeusOpacity(), UniformSampler(8), rays, near, far, background=background
    )
    torch.testing.assert_close(seen.color, torch.tensor(WHITE).expand(count, 3))
    assert (len(seen.points), len(seen.geometry.distance), ball.distances) == (0, 0, 0)


def test_same_seed_same_picture(ball: Any, rays: Rays) -> None:
    near, far, _ = near_far(rays)

    def picture(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        opacity = NeusOpacity(0.4).double()
        found = render_rays(ball, opacity, UniformSampler(20), rays, near, far, generator=generator)
        return found.color

    assert torch.equal(picture(1), picture(1))
    assert not torch.equal(picture(1), picture(2))


def test_rows_are_taken_and_put_back() -> None:
    x = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([4, 0, 5])
    assert torch.equal(take_rows(x, index), x[index])
    placed = place_rows(x[:3], index, 7)
    assert torch.equal(placed[index], x[:3])
    assert not placed[[1, 2, 3, 6]].any()
    assert torch.autograd.gradgradcheck(lambda x: take_rows(x, index) ** 3, x)
    assert torch.autograd.gradgradcheck(lambda x: place_rows(x, index, 8) ** 3, x[:3])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sums_along_rays_match_plain_torch(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    ray = torch.randint(0, 9, (50,), generator=generator).sort().values
    weights = torch.rand(50, generator=generator, dtype=dtype).requires_grad_()
    values = torch.rand(50, 4, generator=generator, dtype=dtype).requires_grad_()
    pull = torch.rand(10, 4, generator=generator, dtype=dtype)
    ours, plain = (f(weights, values, ray, 10) for f in (composite, plain_composite))
    torch.testing.assert_close(ours, plain)
    found = torch.autograd.grad((ours * pull).sum(), (weights, values))
    expected = torch.autograd.grad((plain * pull).sum(), (weights, values))
    torch.testing.assert_close(found, expected)
    if dtype == torch.float64:
        assert torch.autograd.gradcheck(lambda w, v: composite(w, v, ray, 10), (weights, values))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("packed", [False, True])
def test_slopes_and_normals_match_plain_torch(dtype: torch.dtype, packed: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    filled = torch.tensor([0, 3, 4, 9, 19]) if packed else None
    directions = torch.randn(4, 3, generator=generator, dtype=dtype)
    gradient = torch.randn(5 if packed else 20, 3, generator=generator, dtype=dtype)
    gradient.requires_grad_()
    index, pull = torch.tensor([4, 1, 2]), torch.randn(4, 5, generator=generator, dtype=dtype)
    pairs = [
        (f(gradient, directions, filled, 5) for f in (ray_slopes, plain_slopes)),
        (f(gradient, index) for f in (take_normals, plain_normals)),
    ]
    for ours, plain in pairs:
        torch.testing.assert_close(ours, plain)
        pulls = pull[: len(ours), : ours.shape[1]]
        found = torch.autograd.grad((ours * pulls).sum(), gradient)
        expected = torch.autograd.grad((plain * pulls).sum(), gradient)
        torch.testing.assert_close(found, expected)


def test_learned_directions_have_gradients_too(ball: Any, rays: Rays) -> None:
    few = rays.directions[:3].clone().requires_grad_()
    origins = rays.origins[:3]
    near, far, _ = near_far(Rays(origins, few.detach()))
    samples = UniformSampler(8)(Rays(origins, few.detach()), near, far)

    def rendered(directions: Tensor) -> tuple[Tensor, Tensor]:
        opacity = VolsdfOpacity(0.05).double()
        seen = render_samples(ball, opacity, samples, Rays(origins, directions))
        return seen.color, seen.depth

    assert torch.autograd.gradcheck(rendered, few)


def test_parts_are_what_the_renderer_asks_for(ball: Any) -> None:
    assert isinstance(ball, Surface)
    assert all(isinstance(opacity, Opacity) for opacity in opacities())
    assert isinstance(PlainBackground(), Background)


@pytest.mark.parametrize("threshold", [-0.1, 1.0, math.nan])
def test_a_threshold_out_of_range(ball: Any, rays: Rays, threshold: float) -> None:
    near, far, _ = near_far(rays)
    samples = UniformSampler(4)(rays, near, far)
    with pytest.raises(InputError, match="`color_threshold`"):
        render_samples(ball, NeusOpacity(), samples, rays, color_threshold=threshold)


def test_depths_and_lengths_need_one_shape() -> None:
    samples = Samples(torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(TypeError):
        replace(samples, lengths=torch.zeros(2, 4))
