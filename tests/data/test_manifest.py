"""What a manifest holds, refuses and gives to MONAI."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monai.data import load_decathlon_datalist

from medseg.data.datalists import datalist
from medseg.data.manifest import Manifest, load_manifest, save_manifest
from medseg.errors import DataError, ManifestError, UsageError
from tests.conftest import REPOSITORY
from tests.data.builders import a_case, a_manifest, write_dataset

MANIFESTS = sorted((REPOSITORY / "data_manifests").glob("*.json"))
CASES = [a_case("a", 0), a_case("b", 1), a_case("c", 2), a_case("d", 0)]


def written(folder, **changes):
    """A sound manifest with some keys replaced, as a file."""
    content = json.loads(a_manifest(CASES).model_dump_json(exclude_none=True)) | changes
    path = folder / "manifest.json"
    path.write_text(json.dumps(content))
    return path


def case(**changes):
    return json.loads(a_case("e", 1).model_dump_json(exclude_none=True)) | changes


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_repositorys_manifests_are_as_saving_would_write_them(path, tmp_path):
    manifest = load_manifest(path)
    assert manifest.name == path.stem
    save_manifest(manifest, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()


text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=8)
windows = st.none() | st.tuples(*[st.floats(-2000, 2000)] * 2).filter(lambda w: w[0] < w[1])


@given(
    descriptions=st.tuples(text, text),
    window=windows,
    folds=st.lists(st.none() | st.integers(0, 4), min_size=1, max_size=4),
    patient=text,
)
def test_what_is_saved_is_loaded(tmp_path_factory, descriptions, window, folds, patient):
    channel = {"name": "CT", "unit": descriptions[0], "window": window}
    cases = [a_case(f"c{i}", fold, patient=f"{patient}{i}") for i, fold in enumerate(folds)]
    manifest = a_manifest(cases, description=descriptions[1], channels=(channel,))
    path = tmp_path_factory.mktemp("manifest") / "manifest.json"
    save_manifest(manifest, path)
    assert load_manifest(path) == manifest


def test_a_cases_group_is_kept_and_handed_on(tmp_path):
    write_dataset(tmp_path)
    cases = [a_case("a", 0, group="polyp"), a_case("b", 1)]
    save_manifest(a_manifest(cases), tmp_path / "manifest.json")
    manifest = load_manifest(tmp_path / "manifest.json")
    listed = datalist(manifest, tmp_path, split="training", fold=9)
    assert [case.get("group") for case in listed] == ["polyp", None]
    assert "group" not in listed[1]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "manifest.json"
    save_manifest(a_manifest(CASES), path)
    before = path.read_bytes()
    lone_surrogate = a_manifest(CASES).model_copy(update={"description": "\ud800"})
    with pytest.raises(ValueError, match="surrogate"):
        save_manifest(lone_surrogate, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_names_and_cases_come_in_order():
    manifest = a_manifest(CASES[:2], test=(a_case("t", None),))
    assert manifest.class_names == ["background", "lung", "infection"]
    assert [case.case for case in manifest.cases] == ["a", "b", "t"]


def test_monai_reads_it_as_a_decathlon_datalist(tmp_path):
    write_dataset(tmp_path)
    theirs = load_decathlon_datalist(tmp_path / "manifest.json", base_dir=tmp_path)
    ours = datalist(load_manifest(tmp_path / "manifest.json"), tmp_path, split="training", fold=9)
    assert [(case["image"], case["label"]) for case in theirs] == [
        (case["image"], case["label"]) for case in ours
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"licence": None}, r"licence: Input should be a valid string"),
        ({"colour": "red"}, r"colour: unknown key; correct its spelling or remove it$"),
        ({"name": "My Data"}, r"name: .*, got 'My Data'"),
        ({"modality": "X-ray"}, r"modality: .*, got 'X-ray'"),
        ({"channels": []}, r"channels: "),
        ({"channels": [{"name": "CT", "unit": "HU", "window": [3, 2]}]}, r"window must rise, got"),
        (
            {"channels": [{"name": "CT", "unit": "HU", "window": [0, float("inf")]}]},
            r"channels\.0\.window\.1: Input should be a finite number, got inf$",
        ),
        ({"labels": [{"value": 0, "name": "background"}]}, r"labels: "),
        (
            {"labels": [{"value": 1, "name": "lung"}, {"value": 2, "name": "infection"}]},
            r"labels must count up from 0 \(background\), got \[1, 2\]",
        ),
        (
            {"labels": [{"value": 0, "name": "a"}, {"value": 255, "name": "b"}]},
            r"labels must count up from 0 \(background\), got \[0, 255\]",
        ),
        (
            {"labels": [{"value": 0, "name": "a"}, {"value": 1, "name": "a"}]},
            r"two labels are named 'a'; give each a name of its own",
        ),
        ({"training": [case(), case()]}, r"case 'e' is listed twice"),
        (
            {"training": [case(), case(case="f", fold=3)]},
            r"patient 'e' is in fold 1 and in fold 3; put all images of a patient in one place$",
        ),
        ({"training": [case()], "test": [case(case="f")]}, r"patient 'e' is in fold 1 and in test"),
        ({"training": [case(fold=-1)]}, r"training\.0\.fold: .*, got -1"),
        ({"training": [case(patient="")]}, r"training\.0\.patient: "),
        ({"training": [case(case="../x")]}, r"training\.0\.case: .*, got '\.\./x'"),
        ({"training": [case(sha256={"image": "ABC"})]}, r"sha256\.image: .*, got 'ABC'"),
        ({"training": [case(sha256={"mask": 64 * "0"})]}, r"sha256\.mask"),
        *(
            ({"training": [case(image=path)]}, r"training\.0\.image: must be a path below")
            for path in ["/abs/a.nii", "../a.nii", "x/../../a.nii", "."]
        ),
        *(
            ({"training": [case(label=path)]}, r"training\.0\.label: must have / between folders")
            for path in ["x\\a.nii", "C:/a.nii"]
        ),
    ],
)
def test_a_broken_rule_is_told_in_one_line_with_the_file_and_the_key(tmp_path, changes, message):
    path = written(tmp_path, **changes)
    with pytest.raises(ManifestError, match=message) as info:
        load_manifest(path)
    assert str(info.value).startswith(f"{path}: ")
    assert len(str(info.value).splitlines()) == 1


def test_a_missing_key_is_told_to_be_added(tmp_path):
    path = written(tmp_path)
    content = json.loads(path.read_text())
    del content["licence"]
    path.write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=r"licence: missing; add it$"):
        load_manifest(path)


def test_further_broken_rules_are_counted(tmp_path):
    path = written(tmp_path, name="My Data", modality="X-ray")
    with pytest.raises(ManifestError, match=r"^\S+: name: .* \(and 1 more\)$"):
        load_manifest(path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "a"', "\x00"])
def test_a_file_that_is_no_json_object_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_text(content)
    with pytest.raises(ManifestError) as info:
        load_manifest(path)
    assert len(str(info.value).splitlines()) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_manifest_that_notepad_saved_is_read(tmp_path, encoding):
    manifest = write_dataset(tmp_path)
    save_manifest(manifest, tmp_path / "m.json")
    text = (tmp_path / "m.json").read_text(encoding="utf-8").replace("\n", "\r\n")
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "m.json").write_bytes((mark + text).encode(encoding))
    assert load_manifest(tmp_path / "m.json") == manifest


def test_a_manifest_that_notepad_saved_and_that_was_cut_is_refused_in_one_line(tmp_path):
    (tmp_path / "m.json").write_bytes(b'\xff\xfe{\0"')
    with pytest.raises(ManifestError, match=r"m\.json: .*JSON"):
        load_manifest(tmp_path / "m.json")


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ManifestError, match=r"gone\.json: cannot read the manifest \(No such file"):
        load_manifest(tmp_path / "gone.json")
    with pytest.raises(ManifestError, match=r"cannot read the manifest|a folder, pipe"):
        load_manifest(tmp_path)


def test_the_given_fold_validates_and_the_others_train(tmp_path):
    write_dataset(tmp_path, "abcd")
    names = {
        split: [case["case"] for case in datalist(a_manifest(CASES), tmp_path, split=split, fold=0)]
        for split in ("training", "validation")
    }
    assert names == {"training": ["b", "c"], "validation": ["a", "d"]}


@given(folds=st.lists(st.integers(0, 3), min_size=2, max_size=8), fold=st.integers(0, 3))
def test_training_and_validation_are_all_cases_and_share_none(tmp_path_factory, folds, fold):
    folder = tmp_path_factory.mktemp("data")
    manifest = a_manifest(a_case(f"c{i}", f) for i, f in enumerate(folds))
    for case in manifest.cases:
        for name in (case.image, case.label):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
    splits = [names_of(manifest, folder, split, fold) for split in ("training", "validation")]
    assert sorted(splits[0] + splits[1]) == sorted(case.case for case in manifest.cases)


def names_of(manifest: Manifest, folder: Path, split, fold):
    try:
        return [case["case"] for case in datalist(manifest, folder, split=split, fold=fold)]
    except DataError:  # an empty split
        return []


def test_entries_have_absolute_paths_and_no_label_where_there_is_none(tmp_path, monkeypatch):
    write_dataset(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    manifest = a_manifest([], test=(a_case("a", None, label=None),))
    image = str(tmp_path / "data/images/a.nii.gz")
    assert datalist(manifest, "data", split="test") == [{"case": "a", "image": image}]


def test_a_missing_folder_is_named_with_the_key_to_set(tmp_path):
    with pytest.raises(DataError, match=r"gone: no such folder; set dataset_dir to where toy is"):
        datalist(a_manifest(CASES), tmp_path / "gone", split="training")


def test_a_longer_name_than_files_can_have_is_not_there(tmp_path):
    write_dataset(tmp_path, "a")
    long = a_case("a", None).model_copy(update={"image": f"images/{'a' * 300}.nii.gz"})
    with pytest.raises(DataError, match=r"a\.nii\.gz: not there; set dataset_dir"):
        datalist(a_manifest([], test=(long,)), tmp_path, split="test")


def test_missing_files_are_counted_and_the_first_is_named(tmp_path):
    write_dataset(tmp_path, "abcd")
    (tmp_path / "images/b.nii.gz").unlink()
    with pytest.raises(DataError, match=r"images/b\.nii\.gz: not there; set dataset_dir"):
        datalist(a_manifest(CASES), tmp_path, split="training")
    (tmp_path / "labels/c.nii.gz").unlink()
    with pytest.raises(DataError, match=r"b\.nii\.gz: not there, one of 2 missing files; set"):
        datalist(a_manifest(CASES), tmp_path, split="training")


def test_a_fold_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(DataError, match=r"validation split of fold 7 .*; folds are \[0, 1, 2\]"):
        datalist(a_manifest(CASES), tmp_path, split="validation", fold=7)


def test_a_manifest_without_test_cases_says_so(tmp_path):
    with pytest.raises(DataError, match="toy: has no test cases; list some under test"):
        datalist(a_manifest(CASES), tmp_path, split="test")


def test_a_split_that_does_not_exist_is_no_other_one(tmp_path):
    # As a word that is neither test nor validation it would be training: scores on what
    # the network has seen.
    with pytest.raises(UsageError, match="one of training, validation, test, got 'tset'"):
        datalist(a_manifest(CASES), tmp_path, split="tset")


def test_a_manifest_tells_phantoms_from_images():
    assert a_manifest([a_case("a")]).made_of == "images"
    assert a_manifest([a_case("a")], origin="phantoms").made_of == "phantoms"


def test_phantoms_of_before_there_was_an_origin_are_known_by_their_source():
    source = "medseg.data.phantoms.chest.phantom, seed 3"
    assert a_manifest([a_case("a")], source=source).made_of == "phantoms"


def test_a_pipe_is_no_manifest(tmp_path):
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(ManifestError, match=r"cannot read the manifest \(not a regular file\)"):
        load_manifest(tmp_path / "manifest.json")
