"""Which label goes with which image."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.pairs import Side, label_files, pair_files, without_words
from medseg.errors import DataError

ROOT = Path("/data")


def pairs(images, labels):
    return [(p.case, below(p.path), below(p.partner)) for p in paired(images, labels)]


def paired(images, labels, without_partner="refuse"):
    one, other = (
        Side([ROOT / name for name in names], called, f"narrow --{called}")
        for names, called in ((images, "images"), (labels, "labels"))
    )
    return pair_files(one, other, without_partner=without_partner)


def below(path):
    return None if path is None else path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("image", "label", "case"),
    [
        ("imagesTr/case_{}.nii.gz", "labelsTr/case_{}.nii.gz", "case_{}"),
        ("imagesTr/case_{}_0000.nii.gz", "labelsTr/case_{}.nii.gz", "case_{}"),
        ("case_{}_ct.nii.gz", "case_{}_labels.nii.gz", "case_{}"),
        ("case-{}.ct.nii", "case-{}.seg.nii.gz", "case-{}"),
        ("patient {}/ct image.nii.gz", "patient {}/lung mask.nii.gz", "patient {}"),
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


def test_of_a_single_pair_known_words_are_taken_off():
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
    assert [pair[0] for pair in found] == ["1/a", "2/a", "2/b"]


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
    with pytest.raises(DataError, match=r"2 labels could be case 'a': .*; narrow --labels"):
        pairs(["i/a.nii"], labels)


def test_two_images_of_one_case_are_refused():
    images = ["i/a.nii.gz", "i/a.nii", "i/b.nii"]
    with pytest.raises(DataError, match=r"2 images could be case 'a'"):
        pairs(images, ["l/a.nii", "l/b.nii"])


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (["p_01_ct.nii"], ["p_02_seg.nii"]),
        (["p_a.nii"], ["p_b.nii"]),
        (["xa_gt.nii"], ["xa_1_seg.nii"]),
        (["x_01_ct.nii", "y_01_ct.nii"], ["x_02_seg.nii", "y_02_seg.nii"]),
    ],
)
def test_names_that_only_begin_alike_are_no_pair(images, labels):
    assert [pair.partner for pair in paired(images, labels, "keep")] == [None] * len(images)
    with pytest.raises(DataError, match="have no label"):
        pairs(images, labels)


def test_each_file_may_end_in_a_word_of_its_own():
    images = ["i/a_ct.nii", "i/b.nii", "i/c_0000.nii"]
    labels = ["l/a.nii", "l/b_mask.nii", "l/c_GT.nii"]
    assert pairs(images, labels) == list(zip("abc", images, labels, strict=True))


@pytest.mark.parametrize("labels", [["a.nii", "a_seg.nii"], ["a_seg.nii", "a_mask.nii"]])
def test_of_two_files_that_could_be_the_partner_none_is_picked(labels):
    for without_partner in ("refuse", "keep"):
        with pytest.raises(DataError, match=r"2 labels could be case 'a': .*; narrow --labels"):
            paired(["i/a.nii"], [f"l/{name}" for name in labels], without_partner)


def test_maps_beside_predictions_do_not_stop_them_from_being_found():
    ends = ("_seg.nii.gz", "_entropy.nii.gz", "_probabilities.nii.gz")
    found = paired(["r/a.nii", "r/b.nii"], [f"p/{case}{end}" for case in "ab" for end in ends])
    assert [below(pair.partner) for pair in found] == ["p/a_seg.nii.gz", "p/b_seg.nii.gz"]


def test_labels_are_told_from_images_in_one_folder():
    files = [Path(name) for name in ("a_ct.nii", "a_seg.nii", "b.nii", "b_GT.nii")]
    assert label_files(files) == [files[1], files[3]]
    assert label_files(files[::2]) == files[::2]


def test_known_words_go_and_a_name_stays():
    assert without_words("case_1_ct_seg") == "case_1"
    assert without_words("seg") == "seg"


names = st.lists(st.text("ab12_-", min_size=1, max_size=6), min_size=1, max_size=6, unique=True)
ENDINGS = ["", "_ct", "_0000", "-seg"]


@given(names=names, data=st.data())
def test_equal_names_always_pair_whatever_is_appended(names, data):
    image_end, label_end = data.draw(st.permutations(ENDINGS))[:2]
    images = [f"i/x{name}{image_end}.nii.gz" for name in names]
    labels = [f"l/x{name}{label_end}.nii.gz" for name in data.draw(st.permutations(names))]
    for _, image, label in pairs(images, labels):
        own = image.removeprefix("i/").removesuffix(f"{image_end}.nii.gz")
        assert label == f"l/{own}{label_end}.nii.gz"


@given(names=names, data=st.data())
def test_known_words_that_differ_from_file_to_file_are_seen_through(names, data):
    ends = st.lists(st.sampled_from(ENDINGS), min_size=len(names), max_size=len(names))
    images = [f"i/x{n}{end}.nii" for n, end in zip(names, data.draw(ends), strict=True)]
    labels = [f"l/x{n}{end}.nii" for n, end in zip(names, data.draw(ends), strict=True)]
    expected = dict(zip(images, labels, strict=True))
    assert {image: label for _, image, label in pairs(images, labels)} == expected


@given(names=names, data=st.data())
def test_a_file_without_a_partner_gets_none_and_the_others_keep_theirs(names, data):
    there = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    image_end, label_end = data.draw(st.permutations(ENDINGS))[:2]
    found = paired(
        [f"i/x{name}{image_end}.nii" for name in names],
        [f"l/x{name}{label_end}.nii" for name in there],
        "keep",
    )
    expected = {f"i/x{n}{image_end}.nii": f"l/x{n}{label_end}.nii" for n in there}
    assert {below(p.path): below(p.partner) for p in found if p.partner} == expected
    assert len(found) == len(names)
