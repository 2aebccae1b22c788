import pytest
import torch
from torch import Tensor, nn

from passband.recon.cameras import Rays, near_far
from passband.recon.rendering import Geometry


class Ball(nn.Module):
    """A ball whose distance is known in closed form, with a smooth colour that depends on all."""

    def __init__(self) -> None:
        super().__init__()
        self.center = nn.Parameter(torch.tensor([0.05, -0.1, 0.02], dtype=torch.float64))
        self.radius = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
        generator = torch.Generator().manual_seed(3)
        self.mix = nn.Parameter(torch.randn(3, 11, generator=generator, dtype=torch.float64))
        self.distances = self.colors = 0

    def distance(self, x: Tensor) -> Tensor:
        assert len(x) > 0
        self.distances += len(x)
        return (x - self.center.to(x)).norm(dim=-1) - self.radius.to(x)

    def geometry(self, x: Tensor) -> Geometry:
        offset = x - self.center.to(x)
        # Twice as long as a distance's, as a network's may be: normals are to be made unit.
        gradient = 2 * offset / offset.norm(dim=-1, keepdim=True)
        return Geometry(self.distance(x), gradient, torch.sin(3 * x[:, :2]))

    def color(self, x: Tensor, normal: Tensor, direction: Tensor, features: Tensor) -> Tensor:
        assert len(x) > 0
        self.colors += len(x)
        return torch.sigmoid(torch.cat((x, normal, direction, features), -1) @ self.mix.to(x).T)


@pytest.fixture
def ball() -> Ball:
    return Ball()


def make_rays(count: int, dtype: torch.dtype = torch.float64, spread: float = 0.3) -> Rays:
    """Rays from a sphere of radius 3 to points about the origin."""
    generator = torch.Generator().manual_seed(0)
    origins = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    origins = 3 * nn.functional.normalize(origins, dim=-1)
    aims = spread * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return Rays(origins.to(dtype), nn.functional.normalize(aims - origins, dim=-1).to(dtype))


@pytest.fixture
def rays() -> Rays:
    found = make_rays(40)
    assert near_far(found)[2].all()
    return found


@pytest.fixture
def many_rays() -> Rays:
    found = make_rays(600, torch.float32)
    hits = near_far(found)[2]
    return Rays(found.origins[hits], found.directions[hits])
