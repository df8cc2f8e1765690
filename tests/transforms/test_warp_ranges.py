import pytest

from medseg.transforms import Elastic, Flip, Rotation, Shear, Shift, WarpRanges, Zoom
from medseg.transforms.warp_ranges import certain

NAN = float("nan")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Flip(axes=[0], prob=1.5), r"Flip: prob must be in \[0, 1\], got 1.5"),
        (lambda: Flip(axes=[-1]), "Flip: axes must be different axes from 0 on"),
        (lambda: Flip(axes=[1, 1]), "Flip: axes must be different"),
        (lambda: Rotation(degrees=-5), r"Rotation: degrees must be in \[0, 180\], got -5"),
        (lambda: Rotation(degrees=NAN), "Rotation: degrees must be"),
        (lambda: Rotation(degrees=[]), "Rotation: degrees must be"),
        (lambda: Zoom(low=1.2, high=0.8), "Zoom: low must not exceed high, got 1.2 and 0.8"),
        (lambda: Zoom(low=0, high=1), "Zoom: low must be"),
        (lambda: Zoom(low=0.9, high=1.1, axes="both"), "Zoom: axes must be one of together, apart"),
        (lambda: Shear(degrees=60), r"Shear: degrees must be in \[0, 45\], got 60"),
        (lambda: Shift(max_mm=-1), "Shift: max_mm must be a finite number of at least 0, got -1"),
        (lambda: Shift(max_mm=NAN), "Shift: max_mm must be a finite number"),
        (
            lambda: Elastic(max_displacement_mm=-2, control_spacing_mm=30),
            "Elastic: max_displacement_mm must be a finite number of at least 0, got -2",
        ),
        (
            lambda: Elastic(max_displacement_mm=2, control_spacing_mm=0),
            "Elastic: control_spacing_mm must be",
        ),
        (lambda: Elastic(max_displacement_mm=2, control_spacing_mm=9, prob=NAN), "Elastic: prob"),
    ],
)
def test_a_range_that_means_nothing_is_refused_in_one_line(make, says):
    with pytest.raises(ValueError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_certain_ranges_do_all_that_they_may():
    ranges = certain(WarpRanges(flip=Flip(axes=[0], prob=0.1), zoom=Zoom(low=0.9, high=1, prob=0)))
    assert ranges.flip is not None
    assert ranges.zoom is not None
    assert (ranges.flip.prob, ranges.zoom.prob, ranges.elastic) == (1, 1, None)
