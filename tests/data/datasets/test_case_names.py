"""Case names stay legible and distinct, whatever script the files are named in."""

from hypothesis import given
from hypothesis import strategies as st

from medseg.data.datasets.case_names import case_names
from medseg.data.manifest import Case
from medseg.data.patterns import name_key


def test_letters_of_any_script_are_kept():
    texts = [
        "\u738b\u4f1f",
        "\u674e\u5a1c",
        "\u0418\u0432\u0430\u043d",
        "M\u00fcller",
        "M\u00f6ller",
        "\u0930\u093e\u092e 3",
    ]
    names = case_names(texts)
    assert [names[text] for text in texts] == [*texts[:-1], "\u0930\u093e\u092e_3"]


def test_an_accent_in_two_encodings_is_one_name():
    assert case_names(["Mu\u0308ller"]) == {"Mu\u0308ller": "M\u00fcller"}


def test_names_that_would_clash_get_a_digest_and_others_none():
    names = case_names(["p 1", "p/1", "P_1", "p_2"])
    assert names["p_2"] == "p_2"
    assert all(names[text].startswith(("p_1-", "P_1-")) for text in ("p 1", "p/1", "P_1"))
    assert len({name_key(name) for name in names.values()}) == 4


def test_names_begin_with_a_letter_or_a_digit_and_leading_zeros_stay():
    assert case_names(["._01", "1", "..."]) == {"._01": "01", "1": "1", "...": "case"}


@given(st.lists(st.text(min_size=1), unique_by=name_key))
def test_every_text_gets_a_name_of_its_own_that_a_manifest_takes(texts):
    names = case_names(texts)
    assert len({name_key(name) for name in names.values()}) == len(texts)
    for name in names.values():
        assert Case(case=name, patient="p", image="a.nii").case == name
        assert len(name.encode()) < 220
