"""All DICOM outputs at once: what is written where, in which order, or not at all."""

import pydicom
import pytest

from medseg.data.dicom.outputs import dicom_output_path, write_dicom_outputs
from medseg.errors import UsageError
from tests.data.dicom.builders import hounsfield, save, slices
from tests.data.dicom.output_builders import label_of


@pytest.fixture
def label(tmp_path):
    return label_of(save(slices(hounsfield()), tmp_path / "source"))


def test_a_segmentation_and_the_report_on_it_are_written(tmp_path, label):
    out = tmp_path / "out"
    paths = write_dicom_outputs(label, ["dicom-sr", "dicom-seg"], out, case="a.b")
    assert paths == [out / "a.b_sr.dcm", out / "a.b_seg.dcm"]
    report, seg = map(pydicom.dcmread, paths)
    assert (report.Modality, seg.Modality) == ("SR", "SEG")
    assert seg.SOPInstanceUID in str(report)


def test_a_segmentation_is_written_alone(tmp_path, label):
    (path,) = write_dicom_outputs(label, ["dicom-seg"], tmp_path / "out", case="a")
    assert list((tmp_path / "out").iterdir()) == [path]


@pytest.mark.parametrize("formats", [[], ["dicom-sr"], ["dicom-seg", "nifti"], ["DICOM-SEG"]])
def test_formats_that_do_not_go_together_are_refused(tmp_path, label, formats):
    with pytest.raises(UsageError, match="dicom-seg"):
        write_dicom_outputs(label, formats, tmp_path / "out", case="a")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_if_one_file_is_there_already(tmp_path, label):
    there = dicom_output_path(tmp_path, "a", "dicom-sr")
    there.write_bytes(b"mine")
    with pytest.raises(UsageError, match="already exists"):
        write_dicom_outputs(label, ["dicom-seg", "dicom-sr"], tmp_path, case="a")
    assert there.read_bytes() == b"mine"
    assert not dicom_output_path(tmp_path, "a", "dicom-seg").exists()
    both = ["dicom-seg", "dicom-sr"]
    write_dicom_outputs(label, both, tmp_path, case="a", overwrite="replace")
    assert there.read_bytes() != b"mine"
