"""Who the patient is stands in the DICOM outputs, where it must, and nowhere else."""

import highdicom
import pydicom
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from medseg.data.dicom.outputs import write_dicom_outputs
from medseg.data.dicom.tags import quiet_pydicom
from medseg.errors import MedsegError
from tests.data.dicom.builders import hounsfield, slices
from tests.data.dicom.output_builders import dicom_errors, label_of

CANARY = "Kanarienvogel"
BOTH = ["dicom-seg", "dicom-sr"]


def marked(**changes):
    made = slices(hounsfield())
    for ds in made:
        ds.PatientName, ds.PatientID, ds.StudyID = f"{CANARY}^Tweety", CANARY, "7"
        ds.PatientBirthDate = ds.StudyDate = "19470228"
        ds.ReferringPhysicianName = f"Dr^{CANARY}"
        ds.InstitutionName = ds.OperatorsName = ds.ImageComments = f"not needed, {CANARY}"
        ds.DeviceSerialNumber = f"not needed, {CANARY}"
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
    return made


def unchecked(made, values):
    """The same with values that pydicom would not write, as bytes of a length DICOM takes."""
    for ds in made:
        for keyword, value in values.items():
            tag = Tag(tag_for_keyword(keyword))
            content = value.encode() + b" " * (len(value.encode()) % 2)
            head = (tag, dictionary_VR(tag), len(content), content, 0)
            ds._dict[tag] = RawDataElement(*head, is_implicit_VR=False, is_little_endian=True)
    return made


def write(made, tmp_path, garble=(b"", b"")):
    folder = tmp_path / CANARY
    folder.mkdir()
    for k, ds in enumerate(made):
        with quiet_pydicom():
            ds.save_as(folder / f"{CANARY}{k}.dcm", enforce_file_format=True)
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().replace(*garble))
    return write_dicom_outputs(label_of(folder), BOTH, tmp_path / "out", case="a")


def test_patient_and_study_are_those_of_the_source(tmp_path):
    trial = {f"ClinicalTrial{what}": "" for what in ("ProtocolName", "SiteID", "SiteName")}
    trial |= {"ClinicalTrialSponsorName": "X", "ClinicalTrialProtocolID": "Y"}
    made = marked(**trial, ClinicalTrialSubjectID="S-7", PatientAge="079Y")
    for path in write(made, tmp_path):
        output = pydicom.dcmread(path)
        assert str(output.PatientName) == f"{CANARY}^Tweety"
        assert (output.PatientID, output.StudyID) == (CANARY, "7")
        assert (output.PatientBirthDate, output.StudyDate) == ("19470228", "19470228")
        assert (output.ClinicalTrialSubjectID, output.PatientAge) == ("S-7", "079Y")
        assert (output.PatientSex, output.AccessionNumber) == ("", "")
        assert dicom_errors(path) == []


def test_what_an_output_need_not_say_it_does_not_say(tmp_path):
    for path in write(marked(), tmp_path):
        assert b"not needed" not in path.read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"PatientName": f"{CANARY} Tweety Bird"},
        {"PatientName": "a^b^c^d^e^f" + CANARY, "PatientSex": CANARY},
        {"PatientBirthDate": CANARY, "StudyDate": CANARY, "StudyTime": CANARY},
        {"StudyID": CANARY * 9, "AccessionNumber": CANARY * 9, "PatientID": CANARY * 9},
        {"FrameOfReferenceUID": CANARY},
        {"StudyInstanceUID": CANARY},
    ],
)
def test_odd_values_are_copied_or_refused_and_never_logged(tmp_path, caplog, capfd, changes):
    caplog.set_level(0)
    told = ""
    try:
        paths = write(unchecked(marked(), changes), tmp_path)
    except MedsegError as error:
        told = str(error)
    else:
        for path in paths:
            with quiet_pydicom():
                output = pydicom.dcmread(path)
                output.walk(lambda *_: None)
            for keyword in {"PatientName", "PatientSex", "StudyDate", "StudyID"} & changes.keys():
                assert str(output[keyword].value) == changes[keyword]
    told = "\n".join([told, caplog.text, *capfd.readouterr()])
    for secret in (CANARY, "Tweety", "19470228"):
        assert secret.lower() not in told.lower()


@pytest.mark.parametrize("garbled", [b"12345.67", b"ISO_IR 192"])
def test_an_unreadable_header_is_never_quoted(tmp_path, caplog, capfd, garbled):
    caplog.set_level(0)
    told = "nothing"
    made = marked(PatientWeight="12345.67", SpecificCharacterSet="ISO_IR 192")
    try:
        write(made, tmp_path, (garbled, CANARY[: len(garbled)].encode()))
    except MedsegError as error:
        told = str(error)
    told = "\n".join([told, caplog.text, *capfd.readouterr()])
    assert CANARY[:5].lower() not in told.lower()


@pytest.mark.parametrize(
    ("charset", "name"),
    [("ISO_IR 100", "Müller^Jörg"), ("ISO_IR 144", "Щукин^Юлий"), ("ISO_IR 192", "山田^太郎")],
)
def test_names_survive_any_character_set(tmp_path, charset, name):
    for path in write(marked(SpecificCharacterSet=charset, PatientName=name), tmp_path):
        output = pydicom.dcmread(path)
        assert str(output.PatientName) == name
        assert output.SpecificCharacterSet == "ISO_IR 192"
    seg = highdicom.seg.segread(tmp_path / "out" / "a_seg.dcm")
    assert seg.get_segment_description(3).segment_label == "Tumor, außen"


def test_a_japanese_name_in_three_scripts_survives(tmp_path):
    made = marked(
        SpecificCharacterSet=["", "ISO 2022 IR 87"],
        PatientName="Yamada^Tarou=山田^太郎=やまだ^たろう",
    )
    for path in write(made, tmp_path):
        name = pydicom.dcmread(path).PatientName
        assert name.ideographic == "山田^太郎"
        assert name.phonetic == "やまだ^たろう"
