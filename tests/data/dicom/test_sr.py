"""What a DICOM SR promises: the volume of each class in ml, tied to its segment."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from medseg.data import write_dicom_seg, write_dicom_sr
from medseg.data.dicom.label import Share
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
    assert b"weights=" + b"cd" * 32 in told


def items_of(path):
    """Every content item with its depth, as text: what a viewer lists."""

    def walk(items, depth):
        for item in items:
            name = (
                item.ConceptNameCodeSequence[0].CodeMeaning
                if "ConceptNameCodeSequence" in item
                else ""
            )
            text = item.get("TextValue")
            if "MeasuredValueSequence" in item:
                measured = item.MeasuredValueSequence[0]
                unit = measured.MeasurementUnitsCodeSequence[0].CodeValue
                text = f"{measured.NumericValue} {unit}"
            if "ConceptCodeSequence" in item:
                text = item.ConceptCodeSequence[0].CodeMeaning
            yield depth, name, text
            yield from walk(item.get("ContentSequence", []), depth + 1)

    return list(walk(pydicom.dcmread(path).ContentSequence, 0))


def test_a_report_of_phantom_weights_says_so_before_any_number(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    write_dicom_sr(label_of(folder), tmp_path / "sr.dcm")
    report = pydicom.dcmread(tmp_path / "sr.dcm")
    # PS3.3, C.17.2: what a reading by a person would add is not there.
    assert report.CompletionFlag == "PARTIAL"
    assert report.CompletionFlagDescription == "research only: trained on phantoms, not on patients"
    assert report.ContentQualification == "RESEARCH"
    assert report.SeriesDescription.endswith("research only, phantom weights")
    items = items_of(tmp_path / "sr.dcm")
    names = [name for _, name, _ in items]
    comment = items[names.index("Comment")]
    assert comment[0] == 0
    assert comment[2] == (
        "Research only: trained on phantoms, not on patients. Measured by covid_lung_ct_unet3d "
        "0.1.0 without review by a person."
    )
    said = [text for _, name, text in items if name == "Comment"]
    assert "Structures are named as in the training data; no name is a diagnosis." in said
    assert names.index("Comment") < names.index("Imaging Measurements") < names.index("Volume")


def test_a_share_of_the_whole_stands_beside_the_volume_with_the_digits_it_is_worth(tmp_path):
    folder = save(slices(hounsfield((40, 40, 20))), tmp_path / "source")
    # 15001 voxels of 0.0075 ml are 112.5075 ml, and 1999 are 14.9925 ml.
    array = np.zeros(40 * 40 * 20, np.uint8)
    array[:15001], array[15001:17000] = 1, 2
    label = dataclasses.replace(
        label_of(folder, array.reshape(40, 40, 20)),
        shares={"infection": Share(of="lung", percent=100 * 1999 / 17000)},
    )
    write_dicom_sr(label, tmp_path / "sr.dcm")
    told = [(name, text) for _, name, text in items_of(tmp_path / "sr.dcm")]
    assert ("Volume", "112.5 mL") in told
    assert ("Volume", "14.99 mL") in told
    assert ("Percentage of the whole lung", "11.8 %") in told
    assert (
        "Comment",
        "The volume of lung is without infection; percentages are of the whole lung, with all "
        "its parts.",
    ) in told
    assert dicom_errors(tmp_path / "sr.dcm") == []
    assert len(groups_of(tmp_path / "sr.dcm")) == 3


def test_what_is_remarkable_about_the_image_stands_above_the_numbers(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    warned = dataclasses.replace(label_of(folder), warnings=["is unlike the training's images"])
    write_dicom_sr(warned, tmp_path / "sr.dcm")
    told = [(name, text) for _, name, text in items_of(tmp_path / "sr.dcm")]
    warning = told.index(("Comment", "Warning about the image: is unlike the training's images."))
    assert warning < [name for name, _ in told].index("Volume")
    assert dicom_errors(tmp_path / "sr.dcm") == []


def test_a_share_of_nothing_is_left_out(tmp_path):
    folder = save(slices(hounsfield()), tmp_path / "source")
    empty = label_of(folder, np.zeros(SHAPE, np.uint8))
    label = dataclasses.replace(empty, shares={"infection": Share(of="lung", percent=None)})
    write_dicom_sr(label, tmp_path / "sr.dcm")
    names = [name for _, name, _ in items_of(tmp_path / "sr.dcm")]
    assert not any(name.startswith("Percentage") for name in names)


def test_dcmqi_reads_the_numbers_of_a_report(tmp_path):
    beside = Path(sys.executable).parent / "tid1500reader"
    program = shutil.which("tid1500reader") or shutil.which(beside)
    if program is None:
        pytest.skip("no tid1500reader on this machine (pip install dcmqi): not compared")
    folder = save(slices(hounsfield()), tmp_path / "source")
    label = dataclasses.replace(
        label_of(folder, np.ones(SHAPE, np.uint8)),
        shares={"infection": Share(of="lung", percent=12.5)},
    )
    write_dicom_sr(label, tmp_path / "sr.dcm")
    out = tmp_path / "sr.json"
    command = [program, "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", out]
    subprocess.run(command, check=True, capture_output=True)
    groups = json.loads(out.read_text())["Measurements"]
    assert [one["TrackingIdentifier"] for one in groups] == ["lung", "infection", "Tumor, außen"]
    # 7 x 6 x 10 voxels of 0.0075 ml.
    assert float(groups[0]["measurementItems"][0]["value"]) == pytest.approx(3.15)
    assert float(groups[1]["measurementItems"][1]["value"]) == pytest.approx(12.5)


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
