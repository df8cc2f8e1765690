"""How patches lie on a preview's page."""

import numpy as np
import pytest
import torch
from monai.data.meta_tensor import MetaTensor

from medseg.reports.preview_view import picture_view, volume_view
from tests.reports.test_hanging import stored_as


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SPR", "AIL"])
def test_a_volume_is_in_radiological_orientation_however_it_is_stored(codes):
    # In R, A, S: the corner that is furthest to the right, front and top.
    array = np.zeros((4, 5, 6))
    array[-1, -1, -1] = 1
    stored, affine = stored_as(codes, array, np.diag([1.0, 2.0, 3.0, 1.0]))
    view = volume_view(MetaTensor(torch.as_tensor(stored[None].copy()), affine=affine))
    page = view.turn(stored[None])
    # Right is left on the page, the front on top; through the page, the head comes last.
    assert page.shape == (1, 4, 5, 6)
    assert page[0, 0, 0, -1] == 1
    assert view.sides == ("R", "L")
    assert view.size_mm(4, 5) == pytest.approx((4, 10))
    assert [codes[axis] in "RLAPSI"[2 * n : 2 * n + 2] for n, axis in enumerate(view.axes)] == [
        True
    ] * 3


def test_a_picture_has_its_rows_downwards_and_names_no_sides():
    picture = np.arange(6).reshape(1, 2, 3)  # two rows of three
    view = picture_view(picture)
    page = view.turn(picture)
    assert page.shape == (1, 3, 2, 1)
    np.testing.assert_array_equal(page[0, :, :, 0].T, picture[0])
    assert view.sides is None
    assert view.size_mm(3, 2) == (3, 2)


def test_an_axial_slice_of_a_patient_is_hung_as_a_volume_is():
    image = MetaTensor(torch.zeros(1, 4, 5), affine=torch.diag(torch.tensor([2.0, 2.0, 1.0, 1.0])))
    view = volume_view(image)
    corner = np.zeros((1, 4, 5))
    corner[0, -1, -1] = 1
    assert view.turn(corner)[0, 0, 0, 0] == 1
    assert (view.sides, view.size_mm(4, 5)) == (("R", "L"), (8, 10))


def test_a_slice_of_another_plane_is_shown_as_it_is_stored():
    sagittal = np.array([[0.0, 0, 1, 0], [2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 1]])
    view = volume_view(MetaTensor(torch.zeros(1, 4, 5), affine=torch.as_tensor(sagittal)))
    corner = np.zeros((1, 4, 5))
    corner[0, 0, 0] = 1
    assert view.turn(corner)[0, 0, 0, 0] == 1
    assert (view.sides, view.size_mm(4, 5)) == (None, (8, 15))
