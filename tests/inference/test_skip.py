import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.inference import AroundLungs, ConstantWindows, OutsideBody
from medseg.inference.region import roomy_box
from medseg.inference.windows import plan_windows

RULE = OutsideBody(above=0.4)
# Blocks of 4 voxels of 5 mm are 8 ml.
LUNGS = AroundLungs(above=0.4, spacing_mm=(5, 5, 5), margin_mm=20, least_ml=500)


def box(*ranges):
    return tuple(slice(a, b) for a, b in ranges)


def trunk():
    """A body with lungs of air in it, a table below, and noise around."""
    volume = 0.05 * torch.rand(1, 64, 64, 32)
    volume[:, 20:48, 24:52] = 0.8
    volume[:, 28:40, 32:44] = 0.0
    volume[:, :, 8:12] = 0.9
    return volume


def chest():
    """64 voxels wide, from 8 to 56 the body, in it a lung to either side."""
    volume = torch.zeros(1, 64, 48, 64)
    volume[:, 8:56, 8:44] = 0.8
    volume[:, 16:28, 16:36, 16:48] = 0.0
    volume[:, 36:48, 16:36, 16:48] = 0.0
    return volume


def test_a_window_of_one_value_is_not_wanted():
    volume = torch.zeros(2, 8, 8)
    volume[1, 6, 6] = 1
    region = ConstantWindows()(volume)
    assert region.box == box((0, 8), (0, 8))
    assert not region.should_run(box((0, 4), (0, 4)))
    assert region.should_run(box((4, 8), (4, 8)))


def test_windows_are_laid_over_the_body_and_not_over_noise_and_table():
    # The body is 20 to 48 and 24 to 52; its rim is a block of 4 voxels.
    assert RULE(trunk()).box == box((16, 52), (20, 56), (0, 32))


def test_a_window_in_the_box_that_holds_no_body_is_not_wanted():
    volume = trunk()
    volume[:, 20:36, 24:40, :16] = 0
    region = RULE(volume)
    assert not region.should_run(box((16, 28), (20, 32), (0, 8)))
    assert region.should_run(box((16, 28), (20, 32), (8, 16)))


def test_a_window_inside_the_lungs_is_wanted():
    assert RULE(trunk()).should_run(box((30, 38), (34, 42), (8, 16)))


def test_where_no_body_is_found_all_of_the_volume_matters():
    region = RULE(torch.zeros(1, 16, 16, 16))
    assert region.box == box((0, 16), (0, 16), (0, 16))
    assert region.should_run(box((0, 4), (0, 4), (0, 4)))


def test_the_lungs_are_held_with_a_margin():
    # 20 mm are one block of 4 voxels.
    assert LUNGS(chest()).box == box((12, 52), (12, 40), (12, 52))


def test_a_lung_without_air_is_held_by_the_other_one():
    white = chest()
    white[:, 36:48] = 0.8
    white[:, 48:56, :8] = 0
    assert LUNGS(white).box == box((12, 52), (12, 40), (12, 52))


def test_gas_of_the_bowel_makes_the_box_no_larger():
    gas = chest()
    gas[:, 28:32, 20:24, 56:60] = 0  # 8 ml
    assert LUNGS(gas).box == LUNGS(chest()).box


def test_with_hardly_any_air_in_it_the_body_decides():
    white = chest()
    white[:, 8:56, 8:44] = 0.8
    white[:, 16:24, 16:36, 16:20] = 0
    assert LUNGS(white).box == RULE(white).box


def test_lungs_of_no_body_are_everywhere():
    assert LUNGS(torch.zeros(1, 16, 16, 16)).box == box((0, 16), (0, 16), (0, 16))


@given(length=st.integers(8, 60), start=st.integers(0, 59), size=st.integers(1, 60), data=st.data())
def test_a_roomy_box_holds_the_box_and_takes_as_many_windows(length, start, size, data):
    start = min(start, length - 1)
    stop = min(start + size, length)
    overlap = data.draw(st.sampled_from([0, 0.25, 0.5, 0.8]))
    (roomy,) = roomy_box([slice(start, stop)], [length], [8], overlap)
    assert 0 <= roomy.start <= start < stop <= roomy.stop <= length
    tight = plan_windows([max(stop - start, 8)], [8], overlap=overlap)
    assert plan_windows([roomy.stop - roomy.start], [8], overlap=overlap).count == tight.count


def test_windows_stand_where_they_would_without_a_rule_if_the_box_leaves_them_room():
    # Three windows of 8 span 16 and begin at multiples of 4: 4 to 20 holds 5 to 20.
    assert roomy_box(box((5, 20)), [40], [8], 0.5) == box((4, 20))
    # 16 voxels that hold 7 to 22 begin at 6 or 7, and neither is a multiple of 4.
    assert roomy_box(box((7, 22)), [40], [8], 0.5) == box((7, 23))


@pytest.mark.parametrize("rule", [RULE, LUNGS], ids=repr)
def test_rules_can_be_told_apart_in_a_log(rule):
    assert "above=0.4" in repr(rule)
