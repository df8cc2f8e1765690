"""Which files are the channels of one case."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medseg.data.channel import Channel
from medseg.data.datasets.channel_files import (
    Found,
    case_channels,
    channels_in,
    read_channel_options,
)
from medseg.data.patterns import captured, literal_letters
from medseg.errors import DataError, UsageError

names = st.text("ab_01", min_size=1, max_size=6)


def found(name, pattern, *files):
    keys = {Path(file): captured(pattern, file) for file in files}
    return Found(name, pattern, keys)


def touch(folder, *files):
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()


@given(folder=names, file=names)
def test_wildcards_stand_for_what_they_were_put_in_place_of(folder, file):
    assert captured("x/*/pet_*.nii.gz", f"x/{folder}/pet_{file}.nii.gz") == (folder, file)
    assert captured("**/*.nii", f"{folder}/{folder}/{file}.nii") == (f"{folder}/{folder}/", file)


def test_a_star_does_not_reach_across_folders_and_a_set_is_one_letter():
    assert captured("*/a.nii", "x/y/a.nii") is None
    assert captured("p[12]?.nii", "p1b.nii") == ("1", "b")
    assert captured("p[!12].nii", "p1.nii") is None


def test_of_two_patterns_the_one_with_more_letters_of_its_own_is_nearer():
    assert literal_letters("*_pet.nii.gz") == len("_pet.nii.gz")
    images = found("ct", "*.nii.gz", "a.nii.gz", "a_pet.nii.gz")
    pets = found("pet", "*_pet.nii.gz", "a_pet.nii.gz")
    (case,) = case_channels([images, pets])
    assert case.case == "a"
    assert case.paths == (Path("a.nii.gz"), Path("a_pet.nii.gz"))


def test_what_the_stars_stand_for_tells_the_case():
    pet = found("pet", "*/pet.nii", "p10/pet.nii", "p2/pet.nii")
    mr = found("mr", "*/mr.nii", "p10/mr.nii", "p2/mr.nii")
    cases = case_channels([pet, mr])
    assert [case.case for case in cases] == ["p2", "p10"]
    assert cases[1].paths == (Path("p10/pet.nii"), Path("p10/mr.nii"))


def test_a_star_more_in_one_pattern_is_an_ending():
    t1 = found("t1", "*/t1*.nii", "p1/t1_old.nii", "p2/t1.nii")
    t2 = found("t2", "*/t2.nii", "p1/t2.nii", "p2/t2.nii")
    assert [case.case for case in case_channels([t1, t2])] == ["p1", "p2"]


def test_a_missing_channel_is_named_with_its_case():
    pet = found("pet", "*/pet.nii", "p1/pet.nii", "p2/pet.nii")
    mr = found("mr", "*/mr.nii", "p1/mr.nii")
    with pytest.raises(DataError, match=r"case p2: its channel mr is missing, no file \*/mr.nii"):
        case_channels([pet, mr])


def test_two_files_for_one_channel_are_refused():
    pet = found("pet", "*/*pet.nii", "p1/pet.nii", "p1/old_pet.nii", "p2/pet.nii")
    mr = found("mr", "*/mr.nii", "p1/mr.nii", "p2/mr.nii")
    with pytest.raises(DataError, match=r"case p1: 2 files could be its channel pet: .*narrow"):
        case_channels([pet, mr])


def test_one_file_for_two_channels_is_refused():
    with pytest.raises(UsageError, match=r"--channel a and --channel b both name x\.nii"):
        case_channels([found("a", "x.nii", "x.nii"), found("b", "x.nii", "x.nii")])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["pet"], r"--channel pet: must be NAME=FILES"),
        (["=a.nii"], r"must be NAME=FILES"),
        (["pet="], r"must be NAME=FILES"),
        (["p/t=a.nii"], r"must be NAME=FILES"),
        (["pet=a.nii", "pet=b.nii"], r"--channel pet: is given twice"),
    ],
)
def test_options_that_name_no_channel_are_refused(texts, message):
    with pytest.raises(UsageError, match=message):
        read_channel_options(texts)


def test_options_keep_their_order_and_what_follows_the_first_equals_sign():
    assert read_channel_options(["pet=a=b.nii", "mr=*.nii"]) == {"pet": "a=b.nii", "mr": "*.nii"}


def channels(**files):
    return [Channel(name=name, unit="", files=pattern) for name, pattern in files.items()]


def test_a_folder_is_read_by_the_ends_of_the_patterns(tmp_path):
    touch(tmp_path, "new/p7/pet.nii.gz", "new/p7/mr.nii.gz", "p8/pet.nii.gz", "p8/mr.nii.gz")
    cases = channels_in(tmp_path, channels(pet="data/*/pet.nii.gz", mr="data/*/mr.nii.gz"))
    assert [case.case for case in cases] == ["new_p7", "p8"]
    assert cases[1].paths == (tmp_path / "p8/pet.nii.gz", tmp_path / "p8/mr.nii.gz")


def test_where_file_names_are_equal_folders_tell_the_channels(tmp_path):
    touch(tmp_path, "ct/1.nii", "ct/2.nii", "pet/1.nii", "pet/2.nii")
    cases = channels_in(tmp_path, channels(ct="ct/*.nii", pet="pet/*.nii"))
    assert [case.paths[1] for case in cases] == [tmp_path / "pet/1.nii", tmp_path / "pet/2.nii"]


def test_a_folder_of_other_names_is_refused_with_the_names_wanted(tmp_path):
    touch(tmp_path, "a.nii")
    with pytest.raises(DataError, match=r"no file named as the channels are: pet p.nii, mr m.nii"):
        channels_in(tmp_path, channels(pet="*/p.nii", mr="*/m.nii"))
    with pytest.raises(DataError, match="give --channel pet=FILE --channel mr=FILE instead"):
        channels_in(tmp_path, [Channel(name="pet", unit=""), Channel(name="mr", unit="")])


def test_a_case_that_lacks_a_channel_may_be_left_out_with_its_line(tmp_path):
    touch(tmp_path, "p1/pet.nii", "p1/mr.nii", "p2/pet.nii")
    lost = []
    named = channels(pet="*/pet.nii", mr="*/mr.nii")
    assert [case.case for case in channels_in(tmp_path, named, lost)] == ["p1"]
    assert len(lost) == 1
    assert lost[0].startswith("case p2: its channel mr is missing")
