"""Sections of one stack that are dealt over folds are noticed, unrelated pictures are not."""

import numpy as np
import pytest
from scipy import ndimage

from medseg.data.datasets.facts import CaseReport
from medseg.data.datasets.neighbours import one_stack_problems, sketch_of
from medseg.data.images.picture import read_image


def found(pictures, patient="p{}", place="fold {}", name="t{}"):
    reports = [
        CaseReport(
            case=name.format(f"{n:03}"),
            patient=patient.format(n),
            place=place.format(n % 3),
            image=None,
            labels=(),
            problems=(),
            sketch=sketch_of(picture[:, :, None]),
        )
        for n, picture in enumerate(pictures)
    ]
    return list(one_stack_problems(reports[::-1]))


def a_stack(sections=12):
    """Smooth noise in 3-D: neighbouring sections are alike, distant ones are not."""
    noise = np.random.default_rng(0).normal(size=(sections, 64, 64))
    return ndimage.gaussian_filter(noise, (2, 4, 4))


def test_sections_of_one_stack_in_several_folds_are_a_warning():
    (problem,) = found(a_stack())
    assert problem.severity == "warning"
    assert problem.what.startswith("t000 and t001, t001 and t002, t002 and t003 and 8 more are")
    assert "--patient-regex" in problem.remedy


@pytest.mark.parametrize("about", [{"patient": "one"}, {"place": "fold 0"}])
def test_a_stack_that_is_kept_together_is_none(about):
    assert found(a_stack(), **about) == []


def test_unrelated_pictures_and_such_as_are_all_alike_are_none():
    rng = np.random.default_rng(1)
    unrelated = [ndimage.gaussian_filter(rng.normal(size=(64, 64)), 4) for _ in range(12)]
    assert found(unrelated) == []
    # As radiographs are: one anatomy, so that distant pictures are as alike as neighbours.
    common = ndimage.gaussian_filter(rng.normal(size=(64, 64)), 4)
    assert found([common + 0.3 * picture for picture in unrelated]) == []


def test_a_sketch_is_the_means_of_blocks_and_none_where_there_is_nothing_to_see():
    picture = np.random.default_rng(2).random((48, 64))
    blocks = picture.reshape(16, 3, 16, 4).mean(axis=(1, 3))
    blocks -= blocks.mean()
    expected = (blocks / np.linalg.norm(blocks)).ravel()
    np.testing.assert_allclose(sketch_of(picture[:, :, None]), expected, atol=1e-6)
    assert sketch_of(np.zeros((48, 64, 1))) is None
    assert sketch_of(np.random.default_rng(0).random((48, 64, 2))) is None
    assert sketch_of(np.full((48, 64, 1), np.nan)) is None


@pytest.mark.data
def test_a_film_of_cells_and_a_stack_of_sections_are_noticed(real_data):
    film = sorted((real_data / "microscopy/dic-c2dh-hela/01").glob("*.tif"))
    sections = (real_data / "microscopy/isbi2012-em/image").glob("*.png")
    for paths in (film, sorted(sections, key=lambda path: int(path.stem))):
        assert len(found([read_image(path).array[:, :, 0] for path in paths])) == 1
