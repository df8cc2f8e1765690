"""Names that pass are the same path on every system; Python's own paths are the oracle."""

import warnings
from pathlib import PurePosixPath, PureWindowsPath
from unicodedata import normalize

from hypothesis import example, given
from hypothesis import strategies as st

from medseg.bundles.judgement.files.entry_names import name_clashes, name_problem

parts = st.text(
    st.one_of(st.characters(), st.sampled_from("./\\: ~1conauxCOM\u2025\uff0f\u0301")), max_size=12
)


def is_reserved(path):
    """Whether Windows takes a part of a path for a device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return any(PureWindowsPath(part).is_reserved() for part in path.split("/"))


@given(st.lists(parts, min_size=1, max_size=4).map("/".join))
@example("con/a")
@example("a/..")
@example("C:/a")
@example("a/nul.txt")
def test_a_name_that_passes_stays_in_its_folder_on_every_system(path):
    if name_problem(path) is not None:
        return
    for form in (path, normalize("NFKC", path), normalize("NFD", path)):
        posix, windows = PurePosixPath(form), PureWindowsPath(form)
        assert ".." not in posix.parts
        assert not posix.is_absolute()
        assert not windows.anchor
        assert windows.parts == posix.parts == tuple(form.split("/"))
    assert not is_reserved(path)
    assert path.isprintable()


@given(st.lists(st.text("aAbß/é", min_size=1, max_size=4).map(str.strip), max_size=6))
def test_names_without_a_clash_are_as_many_without_their_case(paths):
    named = [path for path in paths if name_problem(path) is None]
    if any(name_clashes(named)):
        return
    assert len({path.lower() for path in named}) == len(named)
    assert len({path.upper() for path in named}) == len(named)
    # No file is a folder as well.
    folders = {str(parent).lower() for path in named for parent in PurePosixPath(path).parents}
    assert not folders & {path.lower() for path in named}
