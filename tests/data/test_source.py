"""A path, or one DICOM series in it, and the text for both."""

from pathlib import Path

import pytest

from medseg.data.source import Source, as_source, parse_source


@pytest.mark.parametrize("text", ["a/b", "a#b", "a#1", "#", "a#1.2x"])
def test_a_path_alone_has_no_uid(text):
    assert parse_source(text) == as_source(text) == Source(Path(text))
    assert str(parse_source(text)) == text


@pytest.mark.parametrize("text", ["a/b#1.2.3", "a#b#1.2", "/c d/e.zip#1.2.840.1"])
def test_a_path_and_a_uid_are_told_apart_and_put_together_again(text):
    source = parse_source(text)
    assert source == Source(Path(text.rpartition("#")[0]), text.rpartition("#")[2])
    assert str(source) == text
    # A function that takes a path takes it as it is.
    assert as_source(text).series_uid is None


def test_a_file_that_is_called_like_a_series_is_a_file(tmp_path):
    path = tmp_path / "scan#1.2"
    assert parse_source(path).series_uid == "1.2"
    path.touch()
    assert parse_source(path) == Source(path)
