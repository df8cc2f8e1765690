"""What is measured of a case and of a data set: by hand, by other libraries, and once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage import measure

from medseg.data.datasets.collect import DatasetInfo, SplitPlan, collect_manifest, find_files
from medseg.planning.fingerprint.cohort import read_cohort
from medseg.planning.fingerprint.set_facts import at, summarise_set
from medseg.planning.fingerprint.structures import (
    class_facts,
    hole_sizes,
    object_facts,
    touching_share,
)
from tests.planning.builders import write_pictures, write_volume, write_volumes


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEG_CACHE", str(tmp_path / "cache"))


masks = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=3, min_side=2, max_side=9))


def collected(patterns, modality="CT", kind="classes", names=()):
    images, labels = (find_files(one, option="--images") for one in patterns)
    info = DatasetInfo(name="toy", modality=modality, label_kind=kind, label_names=names)
    return collect_manifest(images, labels, info, SplitPlan(folds=None))


@given(mask=masks)
def test_parts_and_their_sizes_are_those_of_scikit_image(mask):
    found = class_facts(1, mask, (1.0,) * mask.ndim)
    parts = measure.label(mask, connectivity=1)
    sizes = np.bincount(parts.ravel())[1:]
    assert found.parts == parts.max()
    assert found.voxels == mask.sum()
    if sizes.size:
        assert at(found.part_voxels, 50.0) == pytest.approx(np.median(sizes))


@given(mask=masks)
def test_holes_are_what_scipy_fills(mask):
    filled = ndimage.binary_fill_holes(mask)
    assert hole_sizes(mask).sum() == (filled & ~mask).sum()


def test_the_thickness_of_a_slab_is_its_thickness_and_of_a_ball_its_radius():
    slab = np.zeros((60, 60, 30), dtype=bool)
    slab[:, :, 10:20] = True
    # Ten voxels of 2 mm; the edges of the image are edges of the slab, too, so a little less.
    assert class_facts(1, slab, (1.0, 1.0, 2.0)).thickness == pytest.approx(20, rel=0.2)
    places = np.indices((41, 41, 41)) - 20
    ball = (places**2).sum(axis=0) <= 15**2
    assert class_facts(1, ball, (1.0,) * 3).thickness == pytest.approx(15, rel=0.15)


def test_numbered_objects_that_touch_by_hand():
    # 1 and 2 share a face, 3 meets 2 in a corner alone, 4 stands apart.
    label = np.array([[1, 1, 2, 0, 0], [0, 0, 0, 3, 0], [4, 0, 0, 0, 0]])
    assert touching_share(label) == 0.5
    found = object_facts(label, (1.0, 1.0))
    assert found.parts == 4
    assert at(found.part_voxels, 99.5) == pytest.approx(2, abs=0.05)


def test_a_class_without_a_voxel_has_no_parts():
    found = class_facts(2, np.zeros((4, 4), dtype=bool), (1.0, 1.0))
    assert (found.voxels, found.parts, found.part_voxels) == (0, 0, ())


def test_facts_of_a_volume_are_in_ras_whatever_its_orientation(tmp_path):
    write_volumes(tmp_path, cases=0)
    write_volume(tmp_path, "a", (24, 22, 20), np.diag([2.0, 2.0, 3.0, 1.0]), (1,))
    # Axes to the head, to the left and to the back.
    turned = np.array([[0, -2.0, 0, 0], [0, 0, -2.0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
    write_volume(tmp_path, "b", (20, 24, 22), turned, (1,))
    patterns = str(tmp_path / "images/*"), str(tmp_path / "labels/*")
    manifest, folder = collected(patterns)
    one, other = read_cohort(manifest, folder).facts
    assert one.shape == other.shape == (24, 22, 20)
    assert one.spacing == other.spacing == (2.0, 2.0, 3.0)
    assert other.orientation == "SLP"


def test_labelled_and_other_intensities_are_told_apart(tmp_path):
    manifest, folder = collected(write_volumes(tmp_path))
    facts = summarise_set(manifest, read_cohort(manifest, folder).facts)
    # 140 +- 20 inside, 40 +- 20 outside.
    assert at(facts.inside, 50.0) == pytest.approx(140, abs=5)
    assert at(facts.outside, 50.0) == pytest.approx(40, abs=2)
    assert facts.classes[0].cases == 6
    assert facts.box[0] == pytest.approx(14, abs=2)


def test_a_case_is_read_once_and_again_only_if_its_files_change(tmp_path):
    patterns = write_volumes(tmp_path, cases=4)
    manifest, folder = collected(patterns)
    first = read_cohort(manifest, folder)
    again = read_cohort(manifest, folder)
    assert (first.read, again.read) == (4, 0)
    assert again.facts == first.facts
    assert again.reports == first.reports
    write_volume(tmp_path, "c1", (24, 22, 20), np.diag([2.0, 2.0, 2.0, 1.0]), (1,), seed=77)
    write_volume(tmp_path, "new", (24, 22, 20), np.diag([2.0, 2.0, 2.0, 1.0]), (1,), seed=78)
    manifest, folder = collected(patterns)
    assert read_cohort(manifest, folder).read == 2


def test_other_names_of_classes_are_another_question(tmp_path):
    patterns = write_volumes(tmp_path, cases=2)
    manifest, folder = collected(patterns, names=("background", "liver"))
    read_cohort(manifest, folder)
    renamed, folder = collected(patterns, names=("background", "spleen"))
    labels = read_cohort(renamed, folder).reports[0].labels
    assert [label.name for label in labels] == ["background", "spleen"]


def test_an_interrupted_reading_goes_on_where_it_was(tmp_path):
    manifest, folder = collected(write_volumes(tmp_path, cases=5))

    def stop(done, _):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_cohort(manifest, folder, stop)
    assert read_cohort(manifest, folder).read == 2


def test_grey_pictures_saved_in_colour_are_grey_and_have_no_millimetres(tmp_path):
    manifest, folder = collected(
        write_pictures(tmp_path, cases=2), modality="microscopy", kind="instances"
    )
    facts = summarise_set(manifest, read_cohort(manifest, folder).facts)
    assert (facts.kind, facts.colour, facts.spacing) == ("picture", "grey", (1.0, 1.0))
    # A disc of radius 6 has 113 pixels.
    assert at(facts.classes[0].sizes, 50.0) == 113


@given(sizes=st.lists(st.floats(1, 1000), min_size=1, max_size=20))
def test_sizes_of_parts_are_within_those_of_the_cases(sizes):
    from medseg.planning.fingerprint.set_facts import _pooled

    pooled = _pooled([(size,) * 15 for size in sizes], [1] * len(sizes))
    assert min(sizes) <= pooled[0] <= pooled[-1] <= max(sizes)
