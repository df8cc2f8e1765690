import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from medseg.errors import UsageError
from medseg.inference import AroundLungs, ConstantWindows, OutsideBody
from medseg.inference.region import roomy_box
from medseg.inference.windows import plan_windows

LUNG_WINDOW = (-1000, 200)
RULE = OutsideBody(above_hu=-500, window=LUNG_WINDOW)
# Blocks of 4 voxels of 5 mm are 8 ml.
LUNGS = AroundLungs(
    above_hu=-500, window=LUNG_WINDOW, spacing_mm=(5, 5, 5), margin_mm=20, least_ml=500
)


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


def scan():
    """A block of fat (-100 HU) with an organ (40 HU) in it, in air, as `(1, 48, 48, 48)` of HU."""
    hu = torch.full((1, 48, 48, 48), -1000.0)
    hu[:, 12:36, 12:36, 12:36] = -100
    hu[:, 20:28, 20:28, 20:28] = 40
    return hu


def as_recipe(hu, window):
    low, high = window
    return ((hu - low) / (high - low)).clamp(0, 1)


@pytest.mark.parametrize("window", [(-1000, 200), (-1024, 3071), (-500, 300), (-600, -450)])
def test_the_body_is_the_same_in_every_window_that_holds_the_threshold(window):
    rule = OutsideBody(above_hu=-500, window=window)
    assert rule(as_recipe(scan(), window)).box == box((8, 40), (8, 40), (8, 40))


@pytest.mark.parametrize("window", [(-112, 161), (-160, 240), (-1000, -600), (-1000, -500)])
@pytest.mark.parametrize("rule", [OutsideBody, AroundLungs])
def test_a_window_without_the_threshold_does_not_show_the_body_and_nothing_is_skipped(rule, window):
    # In [-112, 161] fat is nearly as dark as air: 0.42 of it, 3 HU, would leave the organ alone.
    more = {"spacing_mm": (5, 5, 5)} if rule is AroundLungs else {}
    region = rule(above_hu=-500, window=window, **more)(as_recipe(scan(), window))
    assert region.box == box((0, 48), (0, 48), (0, 48))
    assert region.should_run(box((0, 4), (0, 4), (0, 4)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"above_hu": "-500"}, "OutsideBody: above_hu must be"),
        ({"window": [200, -1000]}, "OutsideBody: window must be two numbers"),
        ({"window": [40, 40]}, "OutsideBody: window must be two numbers"),
        ({"window": None}, "OutsideBody: window must be two numbers"),
    ],
)
def test_a_threshold_or_a_window_that_is_none_is_refused(wrong, said):
    with pytest.raises(UsageError, match=said):
        OutsideBody(**{"above_hu": -500, "window": LUNG_WINDOW, **wrong})


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
    assert "above_hu=-500" in repr(rule)
