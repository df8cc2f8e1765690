"""What syncing copies promises."""

import os

import pytest

from medseg.bundles import drifted_copies, sync_copies
from medseg.errors import DataError, UsageError

RECIPE = """# Recipe.
preprocessing_steps:
  # why
  - {_target_: A}

# The next key.
augmentation_steps:
  - {_target_: B}
"""
CONFIG = """first: 1
# --- recipe ct: augmentation_steps (a copy)
augmentation_steps: old
# --- end of recipe
last: 2
"""


COMMON = """# Parts.
# --- part loop
train: 1

# why
run: 2
# --- end of part
"""


@pytest.fixture
def repository(tmp_path):
    for folder in ("transforms", "data_manifests", "bundles/one/configs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "transforms" / "ct.yaml").write_text(RECIPE)
    (tmp_path / "bundles" / "one" / "configs" / "train.yaml").write_text(CONFIG)
    (tmp_path / "bundles" / "common.yaml").write_text(COMMON)
    return tmp_path


def test_a_copy_is_the_recipes_text_and_the_rest_stays(repository):
    config = repository / "bundles" / "one" / "configs" / "train.yaml"
    assert sync_copies(repository) == [config]
    assert config.read_text() == CONFIG.replace(
        "augmentation_steps: old\n", "augmentation_steps:\n  - {_target_: B}\n"
    )


def test_comments_within_a_section_are_copied_and_those_after_it_are_not(repository):
    config = repository / "bundles" / "one" / "configs" / "train.yaml"
    config.write_text(CONFIG.replace("augmentation_steps", "preprocessing_steps"))
    sync_copies(repository)
    assert "  # why\n" in config.read_text()
    assert "# The next key." not in config.read_text()


def test_syncing_twice_changes_nothing(repository):
    assert drifted_copies(repository) != []
    sync_copies(repository)
    assert drifted_copies(repository) == []
    assert sync_copies(repository) == []


def test_a_manifests_copy_follows_its_original_byte_by_byte(repository):
    (repository / "data_manifests" / "set.json").write_text("new\n")
    copy = repository / "bundles" / "one" / "configs" / "set.json"
    copy.write_text("old\n")
    assert copy in sync_copies(repository)
    assert copy.read_text() == "new\n"


@pytest.mark.parametrize("change", [("recipe ct:", "recipe mri:"), ("augmentation", "other")])
def test_a_copy_of_nothing_is_an_error(repository, change):
    config = repository / "bundles" / "one" / "configs" / "train.yaml"
    config.write_text(config.read_text().replace(*change))
    with pytest.raises(UsageError, match="but a bundle copies it"):
        sync_copies(repository)


def test_a_folder_without_bundles_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no bundles/ in this folder"):
        sync_copies(tmp_path)


def test_a_common_part_is_copied_word_for_word(repository):
    config = repository / "bundles" / "one" / "configs" / "evaluate.yaml"
    config.write_text("a: 1\n# --- part loop (a copy)\nold: 1\n# --- end of part\nb: 2\n")
    assert config in drifted_copies(repository)
    sync_copies(repository)
    assert config.read_text() == (
        "a: 1\n# --- part loop (a copy)\ntrain: 1\n\n# why\nrun: 2\n# --- end of part\nb: 2\n"
    )


def test_a_part_that_does_not_exist_is_an_error(repository):
    config = repository / "bundles" / "one" / "configs" / "evaluate.yaml"
    config.write_text("# --- part lop (a copy)\n# --- end of part\n")
    with pytest.raises(UsageError, match=r"common\.yaml: no part lop, but a bundle copies it"):
        sync_copies(repository)


@pytest.mark.parametrize("place", ["bundles/one", "bundles/one/configs"])
def test_nothing_is_written_through_a_linked_folder(repository, place):
    outside = repository / "outside"
    (repository / place).rename(outside)
    (repository / place).symlink_to(outside)
    with pytest.raises(UsageError, match=f"{place}: is a link, which sync does not follow"):
        sync_copies(repository)
    assert [path.read_text() for path in outside.rglob("*.yaml")] == [CONFIG]


@pytest.mark.parametrize("file", ["transforms/ct.yaml", "bundles/one/configs/train.yaml"])
def test_a_linked_file_is_neither_read_nor_written(repository, file):
    (repository / file).rename(repository / "outside")
    (repository / file).symlink_to(repository / "outside")
    before = (repository / "outside").read_text()
    with pytest.raises(UsageError, match=f"{file}: is a link"):
        sync_copies(repository)
    assert (repository / "outside").read_text() == before


@pytest.mark.parametrize("file", ["transforms/ct.yaml", "bundles/one/configs/train.yaml"])
def test_a_pipe_in_the_place_of_a_file_does_not_hang(repository, file):
    (repository / file).unlink()
    os.mkfifo(repository / file)
    with pytest.raises((DataError, UsageError), match=f"{file}: (is no regular file|no such)"):
        sync_copies(repository)
