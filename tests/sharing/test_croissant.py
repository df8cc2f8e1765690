"""A manifest as Croissant metadata: what MLCommons' own library reads back."""

import json
from importlib.util import find_spec

import pytest

from medseg.data.manifest import load_manifest
from medseg.errors import DataError, MachineError
from medseg.sharing.describing.croissant import croissant_json, write_croissant
from tests.conftest import REPOSITORY

MANIFEST = load_manifest(REPOSITORY / "data_manifests" / "msd_hippocampus.json")
HAS_LIBRARY = find_spec("mlcroissant") is not None

needs_library = pytest.mark.skipif(not HAS_LIBRARY, reason="mlcroissant is not installed")
# pandas' and the library's own deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def small():
    """Three cases of the manifest, a training, a second training and a test one."""
    first, second, third = MANIFEST.training[:3]
    return MANIFEST.model_copy(
        update={"training": (first, second), "test": (third.model_copy(update={"fold": None}),)}
    )


@needs_library
def test_the_library_reads_back_licence_citation_and_the_digest_of_every_file(small, tmp_path):
    import mlcroissant

    path = tmp_path / "croissant.json"
    write_croissant(small, path)
    read = mlcroissant.Dataset(jsonld=json.loads(path.read_text())).metadata
    assert read.license == ["CC BY-SA 4.0"]
    assert read.cite_as == MANIFEST.citation
    assert read.url.startswith("https://github.com/udacity/")
    digests = {each.content_url: each.sha256 for each in read.distribution}
    assert digests == {
        path: case.sha256[role]
        for case in small.cases
        for role, path in (("image", case.image), ("label", case.label))
    }


@needs_library
def test_cases_are_a_table_and_patients_are_left_out(small):
    patient = small.training[0].model_copy(update={"patient": "Jane Doe"})
    content = croissant_json(small.model_copy(update={"training": (patient, *small.training[1:])}))
    assert "Jane Doe" not in json.dumps(content)
    (table,) = content["recordSet"]
    assert [row["cases/case"] for row in table["data"]] == [case.case for case in small.cases]
    assert table["data"][-1]["cases/part"] == "test"


@needs_library
def test_a_file_without_a_digest_is_one_line(small):
    bare = small.training[0].model_copy(update={"sha256": {}})
    with pytest.raises(DataError, match=f"case {bare.case}: its image has no sha256"):
        croissant_json(small.model_copy(update={"training": (bare,)}))


@needs_library
def test_a_source_without_an_address_asks_for_one(small):
    with pytest.raises(DataError, match="give one by --url"):
        croissant_json(small.model_copy(update={"source": "a hospital"}))


@pytest.mark.skipif(HAS_LIBRARY, reason="mlcroissant is installed")
def test_without_the_extra_the_line_says_how_to_get_it(small):
    with pytest.raises(MachineError, match=r"pip install 'medseg\[croissant\]'"):
        croissant_json(small)
