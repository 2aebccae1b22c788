"""Where samplers put their sections, and that the pictures do not suffer."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from passband.errors import InputError
from passband.recon.cameras import Rays, near_far
from passband.recon.rendering import (
    CachedGridSampler,
    ErrorBoundedSampler,
    Geometry,
    HierarchicalSampler,
    NeusOpacity,
    OccupancySampler,
    PlainBackground,
    Refreshed,
    Sampler,
    Samples,
    UniformSampler,
    VolsdfOpacity,
    clip_to_occupied,
    render_rays,
)
from passband.recon.rendering.opacities import laplace_density
from passband.recon.rendering.samplers import opacity_error_bound
from passband.recon.rendering.samplers._clip import plain_clip
from passband.recon.rendering.samplers._edges import inverse_transform
from passband.recon.rendering.samplers._march import plain_sections, trilinear

SHARP = math.log(300) / 10  # v of a sharpness of 300


class Blobs:
    """Two balls and a thin sheet: rays graze, pass between and through. ``|grad f| <= 1``."""

    def distance(self, x: Tensor) -> Tensor:
        one = (x - x.new_tensor([0.3, 0.1, 0.0])).norm(dim=-1) - 0.3
        other = (x - x.new_tensor([-0.35, 0.0, 0.1])).norm(dim=-1) - 0.35
        sheet = torch.maximum((x[:, 2] - 0.5).abs() - 0.02, x[:, :2].norm(dim=-1) - 0.6)
        return one.minimum(other).minimum(sheet)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def samplers() -> list[Any]:
    return [
        UniformSampler(40),
        HierarchicalSampler(),
        ErrorBoundedSampler(),
        OccupancySampler(60),
        CachedGridSampler(24, resolution=48),
    ]


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("draws", [False, True])
def test_sections_are_in_order_and_leave_nothing_out(
    many_rays: Rays, number: int, draws: bool
) -> None:
    sampler, opacity = samplers()[number], VolsdfOpacity(0.02)
    near, far, _ = near_far(many_rays)
    far[::7] = near[::7]
    far[1::7] = near[1::7] - 0.1
    found = [
        sampler(many_rays, near, far, Blobs(), opacity, generator=seeded() if draws else None)
        for _ in range(2)
    ]
    assert torch.equal(found[0].depths, found[1].depths)
    depths, lengths = found[0].depths, found[0].lengths
    assert isinstance(sampler, Sampler)
    assert not depths.requires_grad
    assert (depths.diff(dim=-1) >= -1e-6).all()
    assert lengths.min() >= -1e-6
    some = far > near
    assert not (lengths[~some] > 1e-6).any()
    low, high = depths - lengths / 2, depths + lengths / 2
    if isinstance(sampler, CachedGridSampler):  # whose sections are cut where they would be long
        assert (low[some, 1:] >= high[some, :-1] - 2e-6).all()
        assert lengths.max() <= 4 / min(opacity.sharpness, sampler.sharpest) + 1e-6
    else:
        torch.testing.assert_close(lengths.sum(-1)[some], (far - near)[some], atol=1e-5, rtol=0)
        torch.testing.assert_close(low[some, 1:], high[some, :-1], atol=2e-6, rtol=0)
    if draws:
        other = torch.Generator().manual_seed(6)
        assert not torch.equal(
            sampler(many_rays, near, far, Blobs(), opacity, generator=other).depths, depths
        )


def hit_depths(rays: Rays, near: Tensor, far: Tensor) -> Tensor:
    """First depth at which the rays are inside, nan where they never are."""
    depths = near[:, None] + (far - near)[:, None] * torch.linspace(0, 1, 4001)
    inside = Blobs().distance(rays.at(depths).flatten(0, 1)).view(depths.shape) < 0
    first = depths.gather(1, inside.int().argmax(-1, keepdim=True))[:, 0]
    return torch.where(inside.any(-1), first, torch.nan)


@pytest.mark.parametrize(
    ("sampler", "opacity", "gap"),
    [
        (HierarchicalSampler(), NeusOpacity(), 0.004),
        (ErrorBoundedSampler(), VolsdfOpacity(0.003), 0.004),
        # Rays that graze share their sections with where they linger.
        (CachedGridSampler(24), NeusOpacity(0.7), 0.008),
    ],
)
def test_sections_concentrate_at_the_surface(
    many_rays: Rays, sampler: Any, opacity: Any, gap: float
) -> None:
    near, far, _ = near_far(many_rays)
    first = hit_depths(many_rays, near, far)
    if isinstance(sampler, Refreshed):
        sampler.refresh(Blobs(), opacity)
    samples = sampler(many_rays, near, far, Blobs(), opacity, generator=seeded())
    holds = (samples.depths - first[:, None]).abs() <= samples.lengths / 2
    hit = first.isfinite()
    assert hit.sum() > 200
    lengths = torch.where(holds, samples.lengths, 0).amax(-1)[hit]
    assert lengths.quantile(0.95) < gap
    near_surface = ((samples.depths - first[:, None]).abs() < 0.05).float().mean(-1)[hit]
    assert near_surface.median() > 0.35  # against a twentieth of evenly spread ones


def test_inverse_transform_matches_numpy() -> None:
    generator = seeded()
    edges = torch.rand(6, 9, generator=generator, dtype=torch.float64).sort(-1).values
    weights = torch.rand(6, 8, generator=generator, dtype=torch.float64)
    weights[2, 3:6] = 0
    weights[4] = 0
    quantiles = torch.rand(6, 20, generator=generator, dtype=torch.float64).sort(-1).values
    quantiles[0, 0], quantiles[0, -1] = 0, 1
    found = inverse_transform(edges, weights, quantiles)
    weights[4] = edges[4].diff()
    for row in range(6):
        mass = np.cumsum(np.append(0, weights[row].numpy()))
        expected = np.interp(quantiles[row].numpy(), mass / mass[-1], edges[row].numpy())
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


@pytest.mark.parametrize("beta", [0.1, 0.03, 0.01])
@pytest.mark.parametrize("sections", [40, 200])
def test_the_bound_holds_against_dense_quadrature(beta: float, sections: int) -> None:
    generator = seeded()
    origins = torch.nn.functional.normalize(
        torch.randn(200, 3, generator=generator, dtype=torch.float64), dim=-1
    )
    aims = 0.4 * torch.randn(200, 3, generator=generator, dtype=torch.float64)
    rays = Rays(origins, torch.nn.functional.normalize(aims - origins, dim=-1))
    fine = 100  # quadrature points in each section
    edges = torch.linspace(0, 2, sections * fine + 1, dtype=torch.float64)
    f = Blobs().distance(rays.at(edges.expand(200, -1)).flatten(0, 1)).view(200, -1)
    step, width = 2 / (sections * fine), torch.full((200,), beta, dtype=torch.float64)
    density = laplace_density(f, width[:, None])
    exact = torch.cumsum((density[:, 1:] + density[:, :-1]) * step / 2, -1)
    coarse = torch.cumsum(density[:, :-1:fine].repeat_interleave(fine, -1) * step, -1)
    error = (torch.exp(-exact) - torch.exp(-coarse)).abs()
    worst = error.view(200, sections, fine).amax(-1)
    length = torch.full((200, sections), 2 / sections, dtype=torch.float64)
    bound = opacity_error_bound(f[:, ::fine], length, width)
    assert (worst <= bound + 1e-6).all()
    assert worst.amax() > 0.01 * min(1.0, bound.amax().item())  # not a bound of anything at all


def test_refined_edges_keep_the_error_below_what_was_asked(many_rays: Rays) -> None:
    rays = Rays(many_rays.origins[:100].double(), many_rays.directions[:100].double())
    near, far, _ = near_far(rays)
    opacity, sampler = VolsdfOpacity(0.01).double(), ErrorBoundedSampler(0.05, evaluated=64)
    edges, distance, beta = sampler.refined(rays, near, far, Blobs(), opacity)
    assert edges.shape[1] > 65  # more were needed
    assert (beta >= opacity.beta - 1e-12).all()
    assert (beta == opacity.beta.item()).float().mean() > 0.5
    length = edges.diff(dim=-1)
    assert opacity_error_bound(distance, length, beta).amax() <= 0.05
    fine = torch.linspace(0, 1, 41, dtype=torch.float64)[:-1]
    depths = (edges[:, :-1, None] + length[..., None] * fine).flatten(1)
    depths = torch.cat((depths, edges[:, -1:]), -1)
    f = Blobs().distance(rays.at(depths).flatten(0, 1)).view(depths.shape)
    density = laplace_density(f, beta[:, None])
    exact = torch.cumsum((density[:, 1:] + density[:, :-1]) * depths.diff() / 2, -1)[:, 39::40]
    ours = torch.cumsum(laplace_density(distance, beta[:, None])[:, :-1] * length, -1)
    assert (torch.exp(-exact) - torch.exp(-ours)).abs().amax() <= 0.05


def test_error_bounds_need_a_laplace_density(many_rays: Rays) -> None:
    near, far, _ = near_far(many_rays)
    with pytest.raises(InputError, match="Laplace density"):
        ErrorBoundedSampler()(many_rays, near, far, Blobs(), NeusOpacity())


def psnr(found: Tensor, expected: Tensor) -> float:
    return -10 * math.log10((found - expected).square().mean().item())


@pytest.mark.parametrize("opacity", [NeusOpacity(SHARP), VolsdfOpacity(1 / 300)])
def test_occupied_cells_give_the_picture_of_all_with_a_third_of_the_samples(
    ball: Any, many_rays: Rays, opacity: Any
) -> None:
    near, far, _ = near_far(many_rays)
    background = PlainBackground((1.0, 1.0, 1.0))

    def seen(sampler: Any) -> tuple[Tensor, int]:
        found = render_rays(
            ball, opacity, sampler, many_rays, near, far, background=background, color_threshold=0
        )
        return found.color, len(found.points)

    # The hard picture: the colour where the ray meets the ball, or white.
    offset = many_rays.origins - ball.center.float()
    middle = -(offset * many_rays.directions).sum(-1)
    inside = ball.radius.float() ** 2 - offset.square().sum(-1) + middle**2
    points = many_rays.at(middle - inside.clamp(min=0).sqrt())
    normal = torch.nn.functional.normalize(points - ball.center.float(), dim=-1)
    features = ball.geometry(points).features
    color = ball.color(points, normal, many_rays.directions, features)
    truth = torch.where(inside[:, None] > 0, color, 1)

    dense, asked = seen(UniformSampler(256))
    assert psnr(dense, truth) > 22
    sampler = OccupancySampler(256)
    everywhere, all_asked = seen(sampler)
    assert all_asked == asked
    torch.testing.assert_close(everywhere, dense)
    sampler.refresh(ball, opacity)
    skipped, few = seen(sampler)
    assert few <= asked / 3
    assert abs(psnr(skipped, truth) - psnr(dense, truth)) < 0.1


@pytest.mark.parametrize("beta", [0.1, 0.03])
def test_cells_left_out_hide_no_more_than_they_may(ball: Any, many_rays: Rays, beta: float) -> None:
    near, far, _ = near_far(many_rays)
    opacity, sampler = VolsdfOpacity(beta), OccupancySampler(200, missed=0.01)

    def seen() -> Tensor:
        return render_rays(ball, opacity, sampler, many_rays, near, far).opacity

    everywhere = seen()
    sampler.refresh(ball, opacity)
    missed = everywhere - seen()
    assert missed.min() > -1e-5
    assert missed.max() < 0.03  # a ray that grazes loses a few times as much


def test_a_grid_without_the_surface_leaves_nothing(ball: Any, many_rays: Rays) -> None:
    sampler = OccupancySampler(64)
    sampler.occupied.zero_()
    near, far, _ = near_far(many_rays)
    assert sampler(many_rays, near, far).depths.shape == (len(many_rays), 0)
    seen = render_rays(ball, NeusOpacity(), sampler, many_rays, near, far)
    assert not seen.opacity.any()


@pytest.mark.parametrize("sharpness", [20.0, 127.0])
@pytest.mark.parametrize("quantized", [False, True])
def test_the_compiled_march_equals_the_plain_one(
    many_rays: Rays, sharpness: float, quantized: bool
) -> None:
    near, far, _ = near_far(many_rays)
    far[::9] = near[::9]
    sampler = CachedGridSampler(24, resolution=64, blur=31.5 / sharpness)
    opacity = NeusOpacity(0.9)
    sampler.refresh(Blobs(), opacity)
    if not quantized:  # far from the surface too, where all weights vanish
        sampler.grid += 0.3
    ours = sampler(many_rays, near, far, Blobs(), opacity, generator=seeded())
    shift = torch.rand(len(many_rays), generator=seeded())
    double = Rays(many_rays.origins.double(), many_rays.directions.double())
    plain = plain_sections(
        sampler.grid.double(), double, near.double(), far.double(), shift.double(),
        24, sharpness, 0.15,
    )  # fmt: skip
    lengths = plain.lengths.clamp(max=4 / sharpness)
    off = (ours.depths - plain.depths).abs().maximum((ours.lengths - lengths).abs())
    assert off.quantile(0.99) < 1e-5
    assert off.amax() < 2e-3  # where a walk ended one piece sooner
    slow = sampler.double()(double, near.double(), far.double(), None, opacity)
    fast = sampler.float()(many_rays, near, far, None, opacity)
    assert (slow.depths - fast.depths).abs().quantile(0.99) < 1e-5


def test_trilinear_interpolation_matches_scipy() -> None:
    from scipy.ndimage import map_coordinates

    grid = torch.rand(7, 7, 7, generator=seeded(), dtype=torch.float64)
    points = 2.4 * torch.rand(200, 3, generator=seeded(), dtype=torch.float64) - 1.2
    at = ((points + 1) * 3).T.numpy()
    expected = map_coordinates(grid.numpy(), at, order=1, mode="nearest")
    np.testing.assert_allclose(trilinear(grid, points), expected, atol=1e-12)


def cells(resolution: int, reach: float) -> Tensor:
    at = (torch.arange(resolution) + 0.5) * (2 / resolution) - 1
    points = torch.stack(torch.meshgrid(at, at, at, indexing="ij"), -1).flatten(0, 2)
    return (Blobs().distance(points) <= reach).view((resolution,) * 3)


@pytest.mark.parametrize("resolution", [20, 64])
def test_clipped_rays_keep_all_occupied_cells(many_rays: Rays, resolution: int) -> None:
    occupied = cells(resolution, 4 / resolution)  # a cell more than those that are cut
    near, far, _ = near_far(many_rays)
    far[::9] = near[::9]
    first, last = clip_to_occupied(occupied, many_rays, near, far)
    plain = plain_clip(occupied, many_rays, near, far)
    assert ((first - plain[0]).abs() < 1e-5).float().mean() > 0.99
    assert ((last - plain[1]).abs() < 1e-5).float().mean() > 0.99
    assert (first >= near).all()
    assert (last <= far.maximum(near)).all()
    assert 0.2 < (last > first).float().mean() < 0.97
    depths = near[:, None] + (far - near)[:, None] * torch.linspace(0, 1, 500)
    inside = Blobs().distance(many_rays.at(depths).flatten(0, 1)).view(depths.shape) < 0.0
    kept = (depths >= first[:, None]) & (depths <= last[:, None])
    assert kept[inside].all()


def test_a_hull_is_where_the_surface_is_asked(ball: Any, many_rays: Rays) -> None:
    occupied = cells(32, 0.05)
    sampler = CachedGridSampler(24, resolution=64, occupied=occupied)
    sampler.refresh(ball, NeusOpacity())
    assert ball.distances < 0.45 * 64**3
    outside = trilinear(sampler.grid, torch.tensor([[0.9, 0.9, -0.9], [-0.9, 0.9, 0.9]]))
    assert (outside > 0.3).all()
    sampler.refresh(Blobs(), NeusOpacity())
    inner = (2 * occupied.nonzero() + 1) / 32 - 1
    np.testing.assert_allclose(trilinear(sampler.grid, inner), Blobs().distance(inner), atol=0.02)
    near, far, _ = near_far(many_rays)
    clipped = clip_to_occupied(occupied, many_rays, near, far)
    samples = sampler(many_rays, near, far, Blobs(), NeusOpacity(), generator=seeded())
    again = CachedGridSampler(24, resolution=64)
    again.load_state_dict(sampler.state_dict())
    expected = again(many_rays, *clipped, Blobs(), NeusOpacity(), generator=seeded())
    torch.testing.assert_close(samples.depths, expected.depths)
    misses = clipped[1] <= clipped[0]
    assert misses.any()
    assert not samples.lengths[misses].any()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: UniformSampler(0), "count"),
        (lambda: HierarchicalSampler(rounds=-1), "rounds"),
        (lambda: HierarchicalSampler(added=0), "added"),
        (lambda: ErrorBoundedSampler(1.5), "error"),
        (lambda: ErrorBoundedSampler(drawn=0), "drawn"),
        (lambda: OccupancySampler(missed=0.0), "missed"),
        (lambda: OccupancySampler(resolution=1), "resolution"),
        (lambda: CachedGridSampler(1), "count"),
        (lambda: CachedGridSampler(uniform=0.0), "uniform"),
        (lambda: CachedGridSampler(blur=-1.0), "blur"),
        (lambda: clip_to_occupied(torch.ones(2, 3, 2).bool(), *nothing()), "occupied"),
    ],
)
def test_arguments_out_of_range(make: Any, name: str) -> None:
    with pytest.raises((InputError, TypeError), match=f"`{name}`|occupied"):
        make()


def nothing() -> tuple[Rays, Tensor, Tensor]:
    return Rays(torch.zeros(0, 3), torch.zeros(0, 3)), torch.zeros(0), torch.zeros(0)


@pytest.mark.parametrize("number", range(5))
def test_no_rays(number: int) -> None:
    rays, near, far = nothing()
    found = samplers()[number](rays, near, far, Blobs(), VolsdfOpacity())
    assert isinstance(found, Samples)
    assert len(found.depths) == 0


@pytest.mark.parametrize("radius", [0.1, 0.3])
def test_silhouettes_of_few_sections_are_as_large_as_the_surface(radius: float) -> None:
    class Round:
        def distance(self, x: Tensor) -> Tensor:
            return (x - x.new_tensor([0.013, 0.021, -0.017])).norm(dim=-1) - radius

        def geometry(self, x: Tensor) -> Geometry:
            normal = torch.nn.functional.normalize(x - x.new_tensor([0.013, 0.021, -0.017]), dim=-1)
            return Geometry(self.distance(x), normal, x)

        def color(self, x: Tensor, normal: Tensor, direction: Tensor, features: Tensor) -> Tensor:
            return normal

    # Parallel rays at even distances from the middle; opaque on as many of them as it is wide.
    count = 8001
    aside = torch.linspace(0, 1.1 * radius, count)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=seeded()))[0]
    origins = torch.stack((aside, torch.zeros(count), torch.full((count,), -2.0)), -1) @ turn.T
    rays = Rays(origins + torch.tensor([0.013, 0.021, -0.017]), turn[:, 2].repeat(count, 1))
    near, far = torch.full((2, count), 1.2).add(torch.tensor([[0.0], [1.6]])).unbind()
    opacity = NeusOpacity(math.log(2000) / 10)
    sampler = CachedGridSampler(20)
    sampler.refresh(Round(), opacity)
    seen = render_rays(Round(), opacity, sampler, rays, near, far, generator=seeded())
    width = 1.1 * radius * float(seen.opacity.detach().mean())
    assert width == pytest.approx(radius, abs=1.5e-4)  # with NeuS's weights alone 5e-4 too little
