"""Licences are named as in their texts, and as in sentences about them."""

from pathlib import Path

import pytest

from medseg.sharing.describing.licence_names import forbids_commercial_use, licence_names

TEXTS = {
    "MIT License\n\nCopyright (c) 2020": ("MIT",),
    "Licence: CC BY-SA 4.0, https://creativecommons.org/licenses/by-sa/4.0/": ("CC-BY-SA-4.0",),
    "https://creativecommons.org/licenses/by-nc/4.0/": ("CC-BY-NC-4.0",),
    "Creative Commons CC0 1.0 Universal": ("CC0-1.0",),
    "code Apache-2.0, weights CC BY-SA 4.0": ("Apache-2.0", "CC-BY-SA-4.0"),
    "CC BY": ("CC-BY",),
    "do as you like": (),
    "": (),
}


@pytest.mark.parametrize("text", TEXTS)
def test_the_names_in_a_text(text):
    assert licence_names(text) == TEXTS[text]


def test_the_licence_of_this_repository_is_known():
    assert licence_names(Path("LICENSE").read_text(encoding="utf-8"))[0] == "Apache-2.0"


def test_what_forbids_commercial_use_is_noticed():
    assert forbids_commercial_use("for non-commercial purposes only")
    assert forbids_commercial_use("CC BY-NC-SA 4.0")
    assert not forbids_commercial_use("CC BY-SA 4.0, also for commercial use")
