"""Which label goes with which image."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.pairs import pair_files
from medseg.errors import DataError


def pairs(images, labels):
    root = Path("/data")
    found = pair_files([root / name for name in images], [root / name for name in labels])
    return [
        (
            pair.case,
            pair.image.relative_to(root).as_posix(),
            pair.label.relative_to(root).as_posix(),
        )
        for pair in found
    ]


@pytest.mark.parametrize(
    ("image", "label", "case"),
    [
        ("imagesTr/case_{}.nii.gz", "labelsTr/case_{}.nii.gz", "case_{}"),
        ("imagesTr/case_{}_0000.nii.gz", "labelsTr/case_{}.nii.gz", "case_{}"),
        ("case_{}_ct.nii.gz", "case_{}_labels.nii.gz", "case_{}"),
        ("case-{}.ct.nii", "case-{}.seg.nii.gz", "case-{}"),
        ("patient {}/ct image.nii.gz", "patient {}/lung mask.nii.gz", "patient_{}"),
        ("p{}/p{}_t1.nii.gz", "p{}/p{}_seg.nii.gz", "p{}"),
        ("p{}/dicom", "p{}/label.nii.gz", "p{}"),
        ("ct/{}/volume.nii.gz", "gt/{}.nii.gz", "{}"),
        ("IMAGES/{}.NII.GZ", "labels/{}.nii", "{}"),
    ],
)
def test_the_usual_ways_of_naming_are_understood(image, label, case):
    numbers = ["001", "002", "010"]
    images = [image.replace("{}", number) for number in numbers]
    labels = [label.replace("{}", number) for number in numbers]
    expected = zip([case.format(number) for number in numbers], images, labels, strict=True)
    assert pairs(images, labels[::-1]) == list(expected)


def test_a_folder_that_all_images_are_in_says_nothing_of_the_case():
    images = ["polyp/image/GT1-400-001.png", "normal/image/GT1-400-002.png"]
    labels = [name.replace("/image/", "/label/") for name in images]
    assert pairs(images, labels) == [
        ("GT1-400-001", images[0], labels[0]),
        ("GT1-400-002", images[1], labels[1]),
    ]


def test_a_single_pair_needs_only_a_common_beginning():
    assert pairs(["case_7_ct.nii.gz"], ["case_7_seg.nii.gz"]) == [
        ("case_7", "case_7_ct.nii.gz", "case_7_seg.nii.gz")
    ]


def test_an_ending_that_is_common_by_chance_is_not_taken_for_a_word():
    # All images end in _1 and so do the labels: nothing need be taken off.
    names = ["a_1.nii.gz", "b_1.nii.gz"]
    assert [pair[0] for pair in pairs(names, names)] == ["a_1", "b_1"]


def test_a_number_is_not_taken_for_the_beginning_of_a_longer_one():
    images = ["case_1_ct.nii.gz", "case_10_ct.nii.gz"]
    labels = ["case_10_seg.nii.gz", "case_1_seg.nii.gz"]
    assert pairs(images, labels) == [
        ("case_1", images[0], labels[1]),
        ("case_10", images[1], labels[0]),
    ]


def test_the_case_of_a_suffix_does_not_matter():
    images = ["i/a.nii.gz", "i/b.NII.GZ", "i/c.nii"]
    assert [pair[0] for pair in pairs(images, ["l/a.NII", "l/b.nii", "l/c.Nii.Gz"])] == list("abc")


def test_labels_without_an_image_are_left_out():
    labels = ["l/a.nii", "l/b.nii", "l/c.nii"]
    assert [pair[0] for pair in pairs(["i/a.nii", "i/b.nii"], labels)] == ["a", "b"]


def test_equal_file_names_in_different_folders_keep_their_folders():
    names = ["1/a.nii", "2/a.nii", "2/b.nii"]
    found = pairs([f"i/{name}" for name in names], [f"l/{name}" for name in names])
    assert [pair[0] for pair in found] == ["1_a", "2_a", "2_b"]


def test_images_without_a_label_are_named():
    images = [f"i/case_{number}.nii.gz" for number in range(6)]
    with pytest.raises(DataError) as info:
        pairs(images, ["l/case_5.nii.gz"])
    assert str(info.value) == (
        "5 of 6 images have no label: i/case_0.nii.gz, i/case_1.nii.gz, i/case_2.nii.gz and 2 "
        "more; name image and label alike up to a common ending, or narrow --images"
    )


def test_two_labels_for_one_case_are_refused():
    labels = ["l/x/a.nii.gz", "l/x/a.nii"]
    with pytest.raises(DataError, match=r"2 labels could be case 'a': .*; narrow --labels to one"):
        pairs(["i/a.nii"], labels)


def test_two_images_of_one_case_are_refused():
    images = ["i/a.nii.gz", "i/a.nii", "i/b.nii"]
    with pytest.raises(DataError, match=r"2 images could be case 'a'"):
        pairs(images, ["l/a.nii", "l/b.nii"])


names = st.lists(st.text("ab12_-", min_size=1, max_size=6), min_size=1, max_size=6, unique=True)


@given(names=names, data=st.data())
def test_equal_names_always_pair_whatever_is_appended(names, data):
    image_end, label_end = data.draw(st.permutations(["", "_ct", "_0000", "-seg"]))[:2]
    images = [f"i/x{name}{image_end}.nii.gz" for name in names]
    labels = [f"l/x{name}{label_end}.nii.gz" for name in data.draw(st.permutations(names))]
    for _, image, label in pairs(images, labels):
        own = image.removeprefix("i/").removesuffix(f"{image_end}.nii.gz")
        assert label == f"l/{own}{label_end}.nii.gz"
