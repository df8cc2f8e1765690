"""What leaves the machine tells of no folder of it."""

from pathlib import Path

import pytest

from medseg.studies.pages.paths import without_paths


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/me/x.nii.gz: is missing", ".../x.nii.gz: is missing"),
        ("dataset_dir=/data/secret/set epochs=2", "dataset_dir=.../set epochs=2"),
        ("(/opt/a/b/provenance.py)", "(.../provenance.py)"),
        (r"C:\Users\me\x.png is broken", ".../x.png is broken"),
        ('"C:\\\\Users\\\\me\\\\x.png"', '".../x.png"'),
        ("see https://example.org/a/b/c", "see https://example.org/a/b/c"),
        ("rows/00_baseline/config.yaml", "rows/00_baseline/config.yaml"),
        ("Adam / SGD / AdaDelta and 3/4", "Adam / SGD / AdaDelta and 3/4"),
        ("a path /alone", "a path /alone"),
    ],
)
def test_only_the_folders_of_absolute_paths_go(text, shown):
    assert without_paths(text) == shown


def test_the_working_folder_goes_whatever_its_name(tmp_path, monkeypatch):
    folder = tmp_path / "Jane Doe's study"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert without_paths(f"{Path.cwd()}/runs/x.csv: broken") == ".../x.csv: broken"
