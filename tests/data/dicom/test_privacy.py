"""No message tells who the patient is: not from names of files and folders, not from tags."""

import traceback
import zipfile

import pytest
from monai.transforms import LoadImaged

from medseg.data import read_volume
from medseg.data.dicom.choice import choose_series
from medseg.data.dicom.find import find_dicom_series
from medseg.data.dicom.series import read_dicom_series
from medseg.errors import MedsegError
from tests.data.dicom.builders import (
    enhanced,
    hounsfield,
    identify,
    recode,
    rotated,
    save,
    slices,
    tilted,
    uid,
)

CANARY = "Kanarienvogel"
NAME = CANARY + "{:03d}.dcm"


def marked(datasets):
    for ds in datasets:
        ds.PatientName = f"{CANARY}^Tweety"
        ds.PatientID = ds.AccessionNumber = CANARY
        ds.SeriesDescription = ds.StudyDescription = ds.ProtocolName = f"CT {CANARY}"
        ds.InstitutionName = ds.ImageComments = CANARY
        ds.StudyDate = ds.PatientBirthDate = "19470228"
    return datasets


def sound():
    return slices(hounsfield())


def doubled():
    twice = sound()[3]
    identify(twice, twice.SOPClassUID, "twice")
    return [*sound(), twice]


def changed(**values):
    made = sound()
    for keyword, value in values.items():
        setattr(made[4], keyword, value)
    return made


CASES = {
    "sound": sound,
    "gap": lambda: [*sound()[:4], *sound()[5:]],
    "tilt": lambda: slices(hounsfield(), tilted(20)),
    "doubled": doubled,
    "two series": lambda: [*sound(), *slices(hounsfield((5, 4, 3)), series="b")],
    "mixed": lambda: [*sound()[:5], *slices(hounsfield(), rotated((90, 0, 0)))[5:]],
    "colour": lambda: changed(PhotometricInterpretation="RGB", SamplesPerPixel=3),
    "no image": lambda: slices(hounsfield(), modality="SR"),
    "modality": lambda: slices(hounsfield(), modality=CANARY.upper()[:16]),
    "frames": lambda: [enhanced(hounsfield(), order=[0, 1, 3])],
    "no position": lambda: changed(ImagePositionPatient=None),
}


def outcomes(path):
    """Everything that reading a path in all ways tells."""
    told = [series.describe() for series in find_dicom_series(path)]
    loader = LoadImaged(keys="image", reader="medseg.data.DicomSeriesReader")
    ways = [
        lambda: choose_series(find_dicom_series(path)) and None,
        lambda: choose_series(find_dicom_series(path), series_uid="1.2.3") and None,
        lambda: read_dicom_series(path, modality="PT").facts,
        lambda: read_dicom_series(path, tilt="resample", gaps="interpolate").facts,
        lambda: read_volume(path).dicom,
        lambda: loader({"image": str(path)}) and None,
    ]
    for way in ways:
        try:
            told.append(repr(way()))
        except (MedsegError, RuntimeError) as error:
            told += [str(error), *traceback.format_exception(error)]
    # The line of a traceback that is code of a test may name the canary itself.
    return [line for text in told for line in text.splitlines() if "CANARY" not in line]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("packing", ["folder", "zip", "cut off", "garbled"])
def test_no_output_contains_the_patients_name(tmp_path, caplog, capfd, case, packing):
    caplog.set_level(0)
    folder = save(marked(CASES[case]()), tmp_path / CANARY, NAME)
    files = sorted(folder.iterdir())
    if packing == "cut off":
        files[0].write_bytes(files[0].read_bytes()[:-30])
    if packing == "garbled":
        content = files[0].read_bytes()
        for old in (b"IS\x02\x001 ", b"1.5\\2"):
            content = content.replace(old, CANARY[: len(old)].encode())
        files[0].write_bytes(content)
    path = folder
    if packing == "zip":
        path = tmp_path / f"{CANARY}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, f"{CANARY}/{file.name}")
    told = "\n".join([*outcomes(path), caplog.text, *capfd.readouterr()])
    assert uid("a")[-20:] in told or "damaged" in told
    for secret in (CANARY, "Tweety", "19470228", CANARY[:5]):
        assert secret.lower() not in told.lower()


def test_a_damaged_compressed_slice_does_not_reveal_it_either(tmp_path, caplog, capfd):
    folder = save(marked(slices(hounsfield((40, 36, 3)))), tmp_path / CANARY, NAME)
    for path in folder.iterdir():
        recode(path, "JPEGLosslessProcess14_1")
        path.write_bytes(path.read_bytes()[:-300])
    told = "\n".join([*outcomes(folder), caplog.text, *capfd.readouterr()])
    assert "damaged" in told
    assert CANARY not in told
