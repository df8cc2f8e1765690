"""What a DICOM SR promises: the volume of each class in ml, tied to its segment."""

import dataclasses

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from medseg.data import write_dicom_seg, write_dicom_sr
from medseg.data.dicom.sr import volumes_ml
from medseg.errors import UsageError
from tests.data.dicom.builders import SHAPE, enhanced, hounsfield, rotated, save, slices, uid
from tests.data.dicom.output_builders import dicom_errors, label_of


def groups_of(path):
    report = highdicom.sr.srread(path)
    return report.content.get_volumetric_roi_measurement_groups()


def test_volumes_are_voxels_times_their_size(tmp_path):
    # A voxel is 2 x 1.5 x 2.5 = 7.5 cubic millimetres, 0.0075 ml: 8, 2 and 0 of them.
    folder = save(slices(hounsfield(), rotated((90, 12, 7))), tmp_path / "source")
    array = np.zeros(SHAPE, np.uint8)
    array[:2, :2, :2], array[5, 5, 8:] = 1, 2
    label = label_of(folder, array)
    assert volumes_ml(label) == pytest.approx([0.06, 0.015, 0], abs=1e-9)
    write_dicom_sr(label, tmp_path / "sr.dcm")
    told = {}
    for group in groups_of(tmp_path / "sr.dcm"):
        (measured,) = group.get_measurements(name=codes.SCT.Volume)
        assert (measured.unit.value, measured.unit.scheme_designator) == ("mL", "UCUM")
        told[group.tracking_identifier] = measured.value
    expected = {"lung": 0.06, "infection": 0.015, "Tumor, außen": 0}
    assert told == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("make", [slices, lambda array: [enhanced(array)]])
def test_a_report_refers_to_the_segments_and_to_the_source(tmp_path, make):
    source = make(hounsfield())
    folder = save(source, tmp_path / "source")
    label = label_of(folder)
    write_dicom_seg(label, tmp_path / "seg.dcm")
    write_dicom_sr(label, tmp_path / "sr.dcm")
    seg, report = (pydicom.dcmread(tmp_path / name) for name in ("seg.dcm", "sr.dcm"))
    for number, group in enumerate(groups_of(tmp_path / "sr.dcm"), start=1):
        image = group.referenced_segment[0]
        assert image.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert image.referenced_segment_numbers == [number]
        assert group.referenced_segment[1].value == source[0].SeriesInstanceUID
        assert group.tracking_uid == seg.SegmentSequence[number - 1].TrackingUID
        kind = seg.SegmentSequence[number - 1].SegmentedPropertyTypeCodeSequence[0]
        assert group.finding_type.value == kind.CodeValue
    evidence = {
        item.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert evidence == {seg.SOPInstanceUID} | {ds.SOPInstanceUID for ds in source}
    assert report.StudyInstanceUID == uid("study")
    assert dicom_errors(tmp_path / "sr.dcm") == []


def test_a_report_says_that_no_person_has_read_it(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    write_dicom_sr(label_of(folder), tmp_path / "sr.dcm")
    report = pydicom.dcmread(tmp_path / "sr.dcm")
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.PreliminaryFlag == "PRELIMINARY"
    told = (tmp_path / "sr.dcm").read_bytes()
    assert b"covid_lung_ct_unet3d" in told
    assert b"digest=" + b"ab" * 32 in told


def test_volumes_are_of_the_whole_label_where_slices_were_interpolated(tmp_path):
    made = slices(hounsfield())
    folder = save([*made[:4], *made[6:]], tmp_path / "source")
    label = label_of(folder, gaps="interpolate")
    full = dataclasses.replace(label, array=np.ones(SHAPE, np.uint8))
    assert volumes_ml(full)[0] == pytest.approx(7 * 6 * 10 * 0.0075)
    write_dicom_sr(full, tmp_path / "sr.dcm")


def test_the_same_label_gives_the_same_bytes_and_no_file_is_replaced_unasked(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    for name in "ab":
        write_dicom_sr(label_of(folder), tmp_path / f"{name}.dcm")
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    with pytest.raises(UsageError, match="already exists"):
        write_dicom_sr(label_of(folder), tmp_path / "a.dcm")
    write_dicom_sr(label_of(folder), tmp_path / "a.dcm", overwrite="replace")
