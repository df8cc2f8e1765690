import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from medseg.transforms.spline import basis, basis_slope, evaluate, limit_folding


@given(cells=st.integers(1, 6), share=st.floats(0, 1))
def test_rows_of_the_basis_sum_to_one_and_of_its_slope_to_zero(cells, share):
    point = np.array([share * cells])
    assert basis(point, cells).sum() == pytest.approx(1)
    assert basis_slope(point, cells).sum() == pytest.approx(0, abs=1e-12)
    assert (basis(point, cells) >= 0).all()


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_the_basis_is_scipys_uniform_cubic_b_spline(cells):
    points = np.linspace(0, cells, 23)
    spline = BSpline(np.arange(-3, cells + 4.0), np.eye(cells + 3), 3)
    np.testing.assert_allclose(basis(points, cells), spline(points), atol=1e-12)
    np.testing.assert_allclose(basis_slope(points, cells), spline(points, nu=1), atol=1e-12)


def test_a_straight_line_of_control_points_gives_a_straight_line():
    control = torch.arange(5.0) - 1  # control point i stands at i - 1
    points = np.linspace(0, 2, 9)
    plane = torch.stack([control, control])
    rows = [torch.eye(2), torch.as_tensor(basis(points, 2)).float()]
    torch.testing.assert_close(evaluate(plane, rows)[0], torch.as_tensor(points).float())


@pytest.mark.parametrize("axes", [2, 3])
def test_control_points_are_spread_along_each_axis_as_einsum_does(axes):
    rng = np.random.default_rng(0)
    control = torch.as_tensor(rng.random((4, 2, *(5, 6, 7)[:axes])))
    bases = [torch.as_tensor(rng.random((n, c))) for n, c in zip((3, 8, 2), (5, 6, 7), strict=True)]
    letters = "xi,yj,zk"[: 3 * axes - 1]
    formula = f"bc{'ijk'[:axes]},{letters}->bc{'xyz'[:axes]}"
    expected = torch.einsum(formula, control, *bases[:axes])
    result = evaluate(control, bases[:axes])
    torch.testing.assert_close(result, expected)
    assert result.is_contiguous()


def smallest_volume(displacement, spacing_mm):
    """Least determinant of the Jacobian, by differences on a grid of 16 points a cell."""
    cells = [n - 3 for n in displacement.shape[1:]]
    points = [np.linspace(0, c, 16 * c + 1) for c in cells]
    field = evaluate(
        torch.as_tensor(displacement),
        [torch.as_tensor(basis(p, c)) for p, c in zip(points, cells, strict=True)],
    ).numpy()
    slopes = [
        np.gradient(field, p * s, axis=1 + a)
        for a, (p, s) in enumerate(zip(points, spacing_mm, strict=True))
    ]
    jacobian = np.moveaxis(np.stack(slopes, axis=1), (0, 1), (-2, -1)) + np.eye(len(cells))
    return np.linalg.det(jacobian).min()


@given(
    seed=st.integers(0, 10_000),
    cells=st.lists(st.integers(1, 3), min_size=2, max_size=3),
    strength=st.floats(0.1, 100),
)
def test_a_limited_deformation_does_not_fold(seed, cells, strength):
    rng = np.random.default_rng(seed)
    spacing = rng.uniform(2, 30, len(cells))
    wild = strength * rng.standard_normal((len(cells), *(c + 3 for c in cells)))
    tame = limit_folding(wild, spacing)
    assert smallest_volume(tame, spacing) > 0


def test_a_mild_deformation_stays_as_it_is_and_a_wild_one_keeps_its_direction():
    rng = np.random.default_rng(1)
    field = rng.standard_normal((3, 5, 5, 5))
    assert limit_folding(field, (30, 30, 30)) is field
    tame = limit_folding(100 * field, (30, 30, 30))
    ratio = tame / (100 * field)
    assert 0 < ratio.min() < 1
    np.testing.assert_allclose(ratio, ratio.flat[0])
    assert smallest_volume(100 * field, (30, 30, 30)) < 0
