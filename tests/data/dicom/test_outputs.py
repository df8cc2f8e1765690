"""All DICOM outputs at once: what is written where, in which order, or not at all."""

import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medseg.data.dicom.label import Share
from medseg.data.dicom.outputs import dicom_output_path, write_dicom_outputs
from medseg.data.manifest import load_manifest
from medseg.errors import UsageError
from tests.data.dicom.builders import SHAPE, hounsfield, save, slices
from tests.data.dicom.output_builders import dicom_errors, label_of

ROOT = Path(__file__).parents[3]


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


BUNDLES = [path.parents[1] for path in sorted(ROOT.glob("bundles/*/configs/metadata.json"))]
VOLUMES = [path for path in BUNDLES if "mri" in path.name or "_ct_" in path.name]


@pytest.mark.parametrize("bundle", VOLUMES, ids=lambda path: path.name)
def test_outputs_of_every_shipped_bundle_are_valid_dicom_that_says_what_it_is(tmp_path, bundle):
    name = next(p for p in (bundle / "configs").glob("*.json") if p.name != "metadata.json")
    manifest = load_manifest(name)
    made = slices(hounsfield())
    for ds in made:
        ds.Modality = manifest.modality
    values = np.arange(np.prod(SHAPE)).reshape(SHAPE) % len(manifest.labels)
    label = dataclasses.replace(
        label_of(save(made, tmp_path / "source"), values.astype(np.uint8)),
        labels=manifest.labels,
        body_part=manifest.body_part,
        shares={manifest.labels[2].name: Share(of=manifest.labels[1].name, percent=50.0)},
    )
    paths = write_dicom_outputs(label, ["dicom-seg", "dicom-sr"], tmp_path / "out", case="a")
    assert [dicom_errors(path) for path in paths] == [[], []]
    seg, report = map(pydicom.dcmread, paths)
    assert seg.BodyPartExamined == manifest.body_part
    for output in (seg, report):
        assert "research only" in output.SeriesDescription
    assert report.CompletionFlag == "PARTIAL"
    kinds = [one.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for one in seg.SegmentSequence]
    assert "Tissue" not in kinds


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
