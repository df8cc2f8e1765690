"""Which series are found in a tree, and which one is meant."""

import numpy as np
import pytest

from medseg.data.dicom.choice import choose_series, require_modality
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.data.problems import InputError
from medseg.data.source import Source
from tests.data.dicom.builders import (
    count_reads,
    enhanced,
    hounsfield,
    rotated,
    save,
    slices,
    uid,
)


@pytest.fixture
def tree(tmp_path):
    """A CT, an MR, a scout and a segmentation in folders of their own, and other files."""
    save(slices(hounsfield()), tmp_path / "one/ct")
    mr = slices(hounsfield((5, 4, 3)), rotated((90, 0, 10)), "b", "MR")
    save(mr, tmp_path / "one/mr", "IM{:04d}")
    scout = slices(hounsfield((5, 4, 1)), series="c")
    scout[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    save(scout, tmp_path / "two")
    save(slices(hounsfield((5, 4, 1)), series="d", modality="SEG"), tmp_path / "two", "seg{}.dcm")
    for name in ("DICOMDIR", "one/notes.txt", "one/mr/README", ".hidden.dcm", "two/._000.dcm"):
        (tmp_path / name).write_text("no slice")
    return tmp_path


def test_all_series_of_a_tree_are_found_with_what_they_are(tree):
    found = {series.uid: series for series in find_dicom_series(tree)}
    assert {one: series.kind for one, series in found.items()} == {
        uid("a"): "volume",
        uid("b"): "volume",
        uid("c"): "localizer",
        uid("d"): "no image",
    }
    ct, mr = found[uid("a")], found[uid("b")]
    assert (ct.slices, ct.columns, ct.rows, ct.orientation) == (10, 7, 6, "axial")
    assert (mr.slices, mr.columns, mr.rows, mr.orientation) == (3, 5, 4, "oblique coronal")
    assert ct.spacing_mm == pytest.approx((2, 1.5, 2.5))
    assert ct.damaged == mr.damaged == 0


def test_a_series_is_described_without_names_and_dates(tree):
    lines = [series.describe() for series in find_dicom_series(tree)]
    assert lines[0] == f"{uid('a')}: CT, 10 slices of 7 x 6, 2.00 x 1.50 x 2.50 mm, axial"
    assert f"{uid('d')}: SEG, no image" in lines


def test_one_series_in_two_folders_is_one_series(tmp_path):
    made = slices(hounsfield())
    save(made[:5], tmp_path / "x")
    save(made[5:], tmp_path / "y")
    assert [series.slices for series in find_dicom_series(tmp_path)] == [10]
    assert read_dicom_series(tmp_path).array.shape == (7, 6, 10)


def test_two_series_in_one_folder_are_told_apart(tmp_path):
    other = hounsfield((5, 4, 3), seed=1)
    save(slices(hounsfield()), tmp_path)
    save(slices(other, series="b"), tmp_path, "b{}.dcm")
    message = r"holds 2 series that match, but must hold one; choose by series uid: "
    with pytest.raises(InputError, match=message) as info:
        read_dicom_series(tmp_path)
    assert all(one.describe() in str(info.value) for one in find_dicom_series(tmp_path))
    chosen = read_dicom_series(tmp_path, series_uid=uid("b"))
    assert (chosen.array == other).all()


@pytest.mark.parametrize("implicit", [True, False])
def test_files_without_preamble_are_found(tmp_path, implicit):
    for k, ds in enumerate(slices(hounsfield())):
        # Old archives lack the preamble and the file's own header.
        del ds.file_meta
        ds.save_as(tmp_path / str(k), implicit_vr=implicit, little_endian=True)
        assert (tmp_path / str(k)).read_bytes()[:2] == b"\x08\x00"
    assert (read_dicom_series(tmp_path).array == hounsfield()).all()


def test_a_modality_in_small_letters_is_that_modality(tmp_path):
    made = slices(hounsfield((5, 4, 3)))
    for ds in made:
        ds["Modality"]._value = "ct"  # pydicom's setter would refuse it
    (series,) = find_dicom_series(save(made, tmp_path))
    assert series.modality == "CT"


def test_the_only_volume_of_a_modality_is_chosen(tree):
    found = find_dicom_series(tree)
    assert choose_series(found, modality="MR").uid == uid("b")
    with pytest.raises(InputError, match="holds no PT series that match, but must hold one"):
        choose_series(found, modality="PT")


def test_one_slice_does_not_compete_with_a_volume(tmp_path):
    save(slices(hounsfield()), tmp_path)
    save(slices(hounsfield((5, 4, 1)), series="b"), tmp_path, "b{}.dcm")
    assert choose_series(find_dicom_series(tmp_path)).uid == uid("a")


def test_an_unknown_uid_is_refused_with_those_there_are(tree):
    with pytest.raises(InputError, match=r"there is no series 1\.2\.3; choose one of: 1\."):
        choose_series(find_dicom_series(tree), series_uid="1.2.3")


def test_a_named_series_that_is_no_volume_is_refused_with_the_reason(tree):
    with pytest.raises(InputError, match=r"holds no images \(SEG\)"):
        choose_series(find_dicom_series(tree), series_uid=uid("d"))


def test_a_tree_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no slice")
    assert find_dicom_series(tmp_path) == ()
    with pytest.raises(InputError, match="there is no DICOM series; check the path"):
        read_dicom_series(tmp_path)


def test_the_modality_is_held_against_what_is_wanted(tree):
    (mr,) = (series for series in find_dicom_series(tree) if series.modality == "MR")
    assert require_modality(mr, "MR") is mr
    assert require_modality(mr, None) is mr
    with pytest.raises(InputError, match=rf"{uid('b')}: its modality is MR, required is CT; use"):
        require_modality(mr, "CT")


def pick(path, **wanted):
    return choose_series(find_dicom_series(path), **wanted)


def test_an_input_of_one_series_is_picked_without_its_uid(tree):
    picked = pick(tree / "one/ct")
    assert (picked.path, picked.uid) == (tree / "one/ct", uid("a"))
    assert (read_dicom_series(picked).array == hounsfield()).all()


def test_an_input_of_several_series_is_picked_by_uid_or_modality(tree):
    assert pick(tree, series_uid=uid("b")).uid == uid("b")
    assert read_dicom_series(Source(tree, uid("b"))).facts.series_uid == uid("b")
    assert pick(tree, modality="CT").uid == uid("a")
    with pytest.raises(InputError, match="holds 2 series that match") as info:
        pick(tree)
    assert str(tree) not in str(info.value)


def test_a_multi_frame_file_is_picked(tmp_path):
    path = save([enhanced(hounsfield())], tmp_path, "scan") / "scan"
    assert pick(path).uid == uid("a")


def test_an_input_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such file or folder"):
        find_dicom_series(tmp_path / "nothing")


def test_a_series_that_was_found_is_read_without_looking_for_it_again(tree, monkeypatch):
    reads = count_reads(monkeypatch)
    series = pick(tree, modality="CT")
    # 10 of the CT, 3 of the MR, a scout and a segmentation.
    assert reads == {"header": 15}
    assert (read_dicom_series(series).array == hounsfield()).all()
    assert reads == {"header": 15, "pixels": 10}


@pytest.mark.parametrize("change", ["a slice is gone", "a slice is another", "a slice is new"])
def test_a_series_that_changed_since_it_was_found_is_looked_for_again(tree, change):
    series = pick(tree, modality="CT")
    made = slices(hounsfield((7, 6, 11)))
    if change == "a slice is gone":
        (tree / "one/ct/009.dcm").unlink()
    elif change == "a slice is another":
        made[9].RescaleIntercept = -1000
        made[9].save_as(tree / "one/ct/009.dcm")
    else:
        made[10].save_as(tree / "one/ct/010.dcm")
    anew = read_dicom_series(tree, modality="CT")
    assert (read_dicom_series(series).array == anew.array).all()
    assert not np.array_equal(anew.array, hounsfield())
