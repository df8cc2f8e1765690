"""Names of prepared cases on disk: what makes another one, and what does not."""

import os
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.cases.case_digest import case_digest, source_files


@pytest.fixture
def case(tmp_path):
    for name in ("image.nii", "label.nii"):
        (tmp_path / name).write_bytes(name.encode())
    return {
        "case": "a",
        "image": str(tmp_path / "image.nii"),
        "label": str(tmp_path / "label.nii"),
    }


def test_a_copy_elsewhere_has_the_same_digest(case, tmp_path):
    moved = {**case, "image": shutil.copy(case["image"], tmp_path / "other.nii")}
    assert case_digest(moved, "recipe", 1) == case_digest(case, "recipe", 1)


def test_recipe_packing_and_entries_belong_to_it(case):
    digests = {
        case_digest(case, "recipe", 1),
        case_digest(case, "another", 1),
        case_digest(case, "recipe", 2),
        case_digest({**case, "case": "b"}, "recipe", 1),
        case_digest({**case, "label": case["image"]}, "recipe", 1),
        case_digest({key: case[key] for key in ("case", "image")}, "recipe", 1),
        case_digest({**case, "image": [case["image"], case["label"]]}, "recipe", 1),
        case_digest({**case, "side": "left"}, "recipe", 1),
    }
    assert len(digests) == 8


def test_a_file_that_changes_within_the_process_is_read_again(case, tmp_path):
    before = case_digest(case, "recipe", 1)
    (tmp_path / "image.nii").write_bytes(b"eman.iig!")
    # The same size; a clock may be too coarse to see the time change.
    os.utime(case["image"], ns=(1, 1))
    assert case_digest(case, "recipe", 1) != before


def test_a_folder_counts_by_its_files_without_hidden_ones(tmp_path):
    (tmp_path / "series" / "1").mkdir(parents=True)
    for name, content in {"2": b"two", "1/1": b"one", ".DS_Store": b"junk"}.items():
        (tmp_path / "series" / name).write_bytes(content)
    case = {"image": str(tmp_path / "series")}
    before = case_digest(case, "recipe", 1)
    (tmp_path / "series" / ".DS_Store").unlink()
    assert case_digest(case, "recipe", 1) == before
    (tmp_path / "series" / "1" / "1").write_bytes(b"eins")
    assert case_digest(case, "recipe", 1) != before


def test_a_reference_to_a_series_counts_by_its_folder_and_its_uid(tmp_path):
    (tmp_path / "tree" / "1").mkdir(parents=True)
    (tmp_path / "tree" / "1" / "a.dcm").write_bytes(b"one")
    cases = [{"image": f"{tmp_path}/tree{end}"} for end in ("#1.2.3", "#1.2.4", "")]
    before = [case_digest(case, "recipe", 1) for case in cases]
    assert len(set(before)) == 3
    (tmp_path / "tree" / "1" / "a.dcm").write_bytes(b"eins")
    assert not set(before) & {case_digest(case, "recipe", 1) for case in cases}


@pytest.mark.parametrize("named", ["scan.mhd", "scan.hdr"])
def test_voxels_beside_a_header_belong_to_it(tmp_path, named):
    case = {"image": str(tmp_path / named)}
    (tmp_path / named).write_bytes(b"header")
    (tmp_path / "scan.raw").write_bytes(b"voxels")
    before = case_digest(case, "recipe", 1)
    (tmp_path / "scan.raw").write_bytes(b"others")
    assert case_digest(case, "recipe", 1) != before


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("scan[1].mhd", "ElementDataFile = LOCAL"),
        ("scan.mhd", "NDims = 3\nElementDataFile = other.raw"),
        ("scan.nhdr", "NRRD0004\ndata file: other.raw\n"),
        ("scan.mha", "NDims = 3\nElementDataFile = other.raw"),
        ("scan.nrrd", "NRRD0004\ndata file: other.raw\n"),
    ],
)
def test_a_header_and_the_file_that_it_names_belong_to_it(tmp_path, header, line):
    case = {"image": str(tmp_path / header)}
    digests = set()
    for voxels, text in ((b"a", line), (b"b", line), (b"b", f"# {line}\n{line}")):
        (tmp_path / header).write_text(text)
        name = "scan[1].raw" if "LOCAL" in line else "other.raw"
        (tmp_path / name).write_bytes(voxels)
        digests.add(case_digest(case, "recipe", 1))
    assert len(digests) == 3


@pytest.mark.parametrize("named", ["../secret", "/etc/hostname", "..", "a\\b"])
def test_a_header_names_no_file_but_one_beside_it(tmp_path, named):
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "study").mkdir()
    header = tmp_path / "study" / "scan.mhd"
    header.write_text(f"ElementDataFile = {named}")
    assert source_files(header) == [header]


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none(), min_size=1))
def test_the_order_of_entries_does_not_count(entries):
    turned = dict(reversed(entries.items()))
    assert case_digest(turned, "recipe", 1) == case_digest(entries, "recipe", 1)


def test_a_name_is_no_path_even_if_a_folder_is_called_so(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = case_digest(case, "recipe", 1)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "large").write_bytes(b"other")
    assert case_digest(case, "recipe", 1) == before


def test_text_longer_than_a_file_name_is_text():
    assert case_digest({"note": "a" * 5000}, "r", 1) != case_digest({"note": "a" * 4999}, "r", 1)


@pytest.mark.parametrize("name", ["a.mha", "a.nrrd", "a.nhdr", "a.nii"])
def test_a_pipe_is_no_file_of_an_image_and_is_not_opened(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert source_files(tmp_path / name) == []
