"""A real PACS takes our files, finds them again and hands them back: STOW, QIDO, WADO.

Orthanc is started on loopback, with a folder of its own. Debian's packages orthanc and
orthanc-dicomweb have what is needed.
"""

import contextlib
import importlib.util
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medseg.data import read_dicom_series
from medseg.data.dicom.outputs import write_dicom_outputs
from tests.data.dicom.builders import enhanced, hounsfield, rotated, save, slices, uid
from tests.data.dicom.output_builders import by_source, label_of

pytestmark = pytest.mark.pacs

PLUGINS = [
    Path(folder) / "libOrthancDicomWeb.so"
    for folder in (
        "/usr/share/orthanc/plugins",
        "/usr/lib/orthanc",
        "/usr/local/share/orthanc/plugins",
    )
]
WAIT_S = 30


@pytest.fixture(scope="module")
def pacs(tmp_path_factory):
    """A client of an Orthanc of the test's own."""
    program = shutil.which("Orthanc")
    plugin = next((path for path in PLUGINS if path.exists()), None)
    if program is None or plugin is None:
        pytest.skip("no Orthanc with DICOMweb on this machine (apt: orthanc orthanc-dicomweb)")
    if importlib.util.find_spec("dicomweb_client") is None:
        pytest.skip("no dicomweb-client (pip install 'medseg[pacs]'): no PACS tried")
    from dicomweb_client.api import DICOMwebClient

    folder, port = tmp_path_factory.mktemp("orthanc"), free_port()
    settings = folder / "orthanc.json"
    settings.write_text(json.dumps(configuration(folder, plugin, port)))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, settings], stdout=log, stderr=log, cwd=folder)
        try:
            wait_for(f"http://127.0.0.1:{port}/system", process, folder / "orthanc.log")
            yield DICOMwebClient(f"http://127.0.0.1:{port}/dicom-web")
        finally:
            process.terminate()
            process.wait(WAIT_S)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def configuration(folder, plugin, port):
    return {
        "Name": "medseg test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(plugin)],
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def wait_for(url, process, log):
    """Ask until it answers or ends."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
    pytest.fail(f"Orthanc does not answer: {log.read_text(errors='replace')[-1000:]}")


@pytest.mark.parametrize("kind", ["series", "enhanced"])
def test_what_is_stored_is_found_and_comes_back(pacs, tmp_path, kind):
    oblique = rotated((90, 12, 7))
    source = (
        slices(hounsfield(), oblique) if kind == "series" else [enhanced(hounsfield(), oblique)]
    )
    for ds in source:
        # Orthanc tells studies by their uid: each run of the test is a study of its own.
        ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(kind), uid(f"{kind} series")
    label = label_of(save(source, tmp_path / "source"))
    paths = write_dicom_outputs(label, ["dicom-seg", "dicom-sr"], tmp_path, case="a")
    ours = [pydicom.dcmread(path) for path in paths]

    files = map(pydicom.dcmread, sorted((tmp_path / "source").iterdir()))
    stored = pacs.store_instances([*files, *ours])
    assert len(stored.ReferencedSOPSequence) == len(source) + 2
    assert not stored.get("FailedSOPSequence")

    found = pacs.search_for_series(study_instance_uid=uid(kind))
    modalities = {one["0020000E"]["Value"][0]: one["00080060"]["Value"][0] for one in found}
    series_uids = [one.SeriesInstanceUID for one in (source[0], *ours)]
    assert modalities == dict(zip(series_uids, ["CT", "SEG", "SR"], strict=True))

    back = [pacs.retrieve_series(uid(kind), one.SeriesInstanceUID)[0] for one in ours]
    for one, other in zip(back, ours, strict=True):
        assert one.SOPInstanceUID == other.SOPInstanceUID
        assert one.PatientName == "Nobody"
    back[0].save_as(tmp_path / "back.dcm", enforce_file_format=True)
    images = pacs.retrieve_series(uid(kind), uid(f"{kind} series"))
    volume = read_dicom_series(save(images, tmp_path / "images"))
    np.testing.assert_array_equal(volume.array, hounsfield())
    np.testing.assert_array_equal(
        by_source(tmp_path / "back.dcm", volume.facts.planes), label.array
    )
