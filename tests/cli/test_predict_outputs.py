"""Every file that a prediction writes is known as one, so that none is an image at the next run."""

import shutil

import nibabel
import numpy as np
import pytest
import SimpleITK

from medseg.data.datasets.inputs import list_images
from medseg.data.output_names import ENDINGS, LEDGER, TABLES
from medseg.data.source import Source
from medseg.data.walk import walk_tree
from medseg.prediction.earlier_outputs import earlier_outputs, is_earlier_output
from medseg.prediction.ledger import Entry, Ledger
from medseg.prediction.search import find_cases
from tests.cli.test_predict_cohort import EXACT
from tests.data.dicom.builders import save, slices, uid

MAPS = ("--maps", "probabilities,entropy")


def written_beside(folder, command, *words):
    """The files that a prediction into the folder of its images leaves there."""
    before = {path for path in folder.rglob("*") if path.is_file()}
    assert command("predict", *words, "-o", folder, *MAPS, *EXACT) == 0
    return sorted({path for path in folder.rglob("*") if path.is_file()} - before)


def forget_what_was_written(folder):
    """The ledger as it is while a case is being written."""
    ledger = Ledger(folder)
    for entry in ledger.entries():
        begun = Entry(
            name=entry.name, key=entry.key, status="begun", settings="s", source=entry.source
        )
        ledger.enter(begun)


def assert_known(folder, written):
    assert set(written) <= set(earlier_outputs(walk_tree(folder)))
    for path in written:
        assert is_earlier_output(path) or path.name == LEDGER, path
        assert path.name in (LEDGER, *TABLES) or any(f"{end}." in path.name for end in ENDINGS)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_no_file_written_beside_a_volume_is_an_image_at_the_next_run(
    suffix, trained, phantoms, tmp_path, command
):
    folder = tmp_path / "both"
    folder.mkdir()
    image = folder / f"scan{suffix}"
    convert(phantoms / "images" / "phantom_003.nii.gz", image)
    written = written_beside(folder, command, trained, folder)
    assert f"scan_seg{suffix}" in {path.name for path in written}
    assert len(written) == len(("label", *MAPS[1].split(","), "overlay", LEDGER, *TABLES))
    for _ in range(2):
        assert_known(folder, written)
        assert [case.path for case in find_cases([Source(folder)]).cases] == [image]
        assert list_images(folder) == [str(image)]
        forget_what_was_written(folder)


def test_no_file_written_beside_a_series_is_part_of_it_at_the_next_run(
    trained, phantoms, tmp_path, command
):
    voxels = np.asarray(nibabel.load(phantoms / "images" / "phantom_003.nii.gz").dataobj)
    folder = save(slices(voxels.astype(np.int16)), tmp_path / "ct")
    formats = ("--format", "nifti,dicom-seg,dicom-sr")
    written = written_beside(folder, command, trained, folder, *formats)
    assert len(written) == len(("label", "seg", "sr", "maps", "maps", "overlay", LEDGER, *TABLES))
    for _ in range(2):
        assert_known(folder, written)
        assert list_images(folder) == [f"{folder.resolve()}#{uid('a')}"]
        forget_what_was_written(folder)


def convert(nifti, image):
    if image.name.endswith(".nii.gz"):
        shutil.copy(nifti, image)
    else:
        SimpleITK.WriteImage(SimpleITK.ReadImage(str(nifti)), str(image))
