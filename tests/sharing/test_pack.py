"""Pack: what goes into a bundle's zip, the same each time, and what must not leave."""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from medseg.bundles.judgement.judge import judge_tree
from medseg.data.datalists import datalist
from medseg.data.manifest import load_manifest
from medseg.errors import DataError, UsageError
from medseg.networks.provenance import Provenance, provenance_json
from medseg.networks.weights import read_state, write_state
from medseg.sharing.bytes_tree import BytesTree
from medseg.sharing.digests import read_digests
from medseg.sharing.golden.golden import read_golden
from medseg.sharing.layout import CASE, DIGESTS, SIGNATURE
from medseg.sharing.packing.pack import Pack, PackChoices, pack_bundle
from medseg.sharing.packing.plain_zip import zip_bytes
from tests.conftest import BUNDLE

# MONAI's deprecations are theirs to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def bundle(tmp_path) -> Path:
    """A copy of a bundle that ships weights."""
    copy = tmp_path / BUNDLE.name
    shutil.copytree(BUNDLE, copy, ignore=shutil.ignore_patterns("eval", "*.pt"))
    return copy


@pytest.fixture(scope="module")
def packed() -> Pack:
    return pack_bundle(BUNDLE, PackChoices())


def problems_of(bundle: Path, **choices) -> str:
    return "\n".join(pack_bundle(bundle, PackChoices(**choices)).problems)


def change(bundle: Path, file: str, old: str, new: str) -> None:
    path = bundle / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_bundle_of_the_repository_may_leave_and_every_file_is_in_the_list_of_digests(packed):
    assert packed.problems == ()
    digests = read_digests(packed.files[DIGESTS], "zip")
    assert {*digests.files, DIGESTS} == set(packed.files)
    for path, stated in digests.files.items():
        content = packed.files[path]
        assert (stated.size, stated.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_the_zip_has_one_folder_named_as_the_bundle(packed):
    archive = zipfile.ZipFile(io.BytesIO(zip_bytes(packed.in_one_folder)))
    assert {name.partition("/")[0] for name in archive.namelist()} == {BUNDLE.name}
    assert archive.testzip() is None
    assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_a_copy_with_other_times_modes_and_umask_packed_elsewhere_gives_the_same_bytes(
    packed, bundle, tmp_path
):
    for path in bundle.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    (bundle / ".DS_Store").write_bytes(b"desktop")
    (bundle / "eval").mkdir()
    (bundle / "eval" / "patient.nii.gz").write_bytes(b"a patient")
    code = (
        "import os, sys, locale; os.umask(0o077)\n"
        "from medseg.sharing.packing.pack import PackChoices, pack_bundle\n"
        "from medseg.sharing.packing.plain_zip import zip_bytes\n"
        "import hashlib; packed = pack_bundle(sys.argv[1], PackChoices())\n"
        "print(hashlib.sha256(zip_bytes(packed.in_one_folder)).hexdigest())"
    )
    places = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "USER": "other", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(bundle)],
        env={**os.environ, **places, "TZ": "Asia/Tokyo", "MEDSEG_CACHE": str(tmp_path / "cache")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    expected = hashlib.sha256(zip_bytes(packed.in_one_folder)).hexdigest()
    assert done.stdout.split()[-1] == expected


def test_an_unpacked_bundle_is_packed_to_the_same_bytes(packed, tmp_path):
    with zipfile.ZipFile(io.BytesIO(zip_bytes(packed.in_one_folder))) as archive:
        archive.extractall(tmp_path)
    assert pack_bundle(tmp_path / BUNDLE.name, PackChoices()).files == packed.files


def test_a_packed_bundle_is_safe_and_a_signature_does_not_change_that(packed):
    signed = {**packed.files, SIGNATURE: b'{"mediaType": "application/vnd.dev.sigstore.bundle"}'}
    before, after = (judge_tree(BytesTree("x", files)) for files in (packed.files, signed))
    assert before.verdict == after.verdict == "safe"
    assert before.digest == after.digest


def test_outputs_are_left_out_and_named(bundle):
    (bundle / "eval").mkdir()
    (bundle / "eval" / "patient.nii.gz").write_bytes(b"a patient")
    (bundle / "models" / "model.pt").write_bytes(b"a pickle, which is never read")
    again = pack_bundle(bundle, PackChoices())
    assert again.left_out == ("eval/patient.nii.gz",)
    assert b"a patient" not in b"".join(again.files.values())
    assert again.files["models/model.pt"] != b"a pickle, which is never read"


def test_studies_go_into_the_zip_and_the_bundle_stays_safe(bundle):
    (bundle / "studies").mkdir(exist_ok=True)
    study = "title: Widths\nseeds: [1, 2]\nbase: {network_def#first_width: 8}\n"
    (bundle / "studies" / "widths.yaml").write_text(study, encoding="utf-8")
    pack = pack_bundle(bundle, PackChoices())
    assert pack.files["studies/widths.yaml"] == study.encode()
    assert judge_tree(BytesTree("widths", pack.files)).verdict == "safe"


def test_each_yaml_has_a_twin_of_the_same_content(packed):
    yamls = [path for path in packed.files if re.fullmatch(r"configs/.*\.yaml", path)]
    assert len(yamls) == 4
    for path in yamls:
        twin = packed.files[path.replace(".yaml", ".json")]
        assert json.loads(twin) == yaml.safe_load(packed.files[path])


def test_the_manifest_has_labels_and_licence_and_no_case(packed):
    manifest = json.loads(packed.files["configs/covid19_ct_seg.json"])
    assert manifest["licence"] == "CC BY-NC-SA 4.0"
    assert [label["name"] for label in manifest["labels"]] == ["background", "lung", "infection"]
    assert not manifest.keys() & {"training", "test"}
    assert b"coronacase" not in packed.files["configs/covid19_ct_seg.json"]


def test_training_without_a_manifest_of_ones_own_says_what_to_do(packed, tmp_path):
    path = tmp_path / "manifest.json"
    path.write_bytes(packed.files["configs/covid19_ct_seg.json"])
    with pytest.raises(DataError, match="lists no cases, as in a packed bundle; write a manifest"):
        datalist(load_manifest(path), tmp_path, split="training", fold=0)


def test_model_pt_holds_the_same_tensors_and_nothing_else(packed, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(packed.files["models/model.safetensors"])
    safe = load_file(tmp_path / "a.safetensors")
    plain = torch.load(io.BytesIO(packed.files["models/model.pt"]), weights_only=True)
    assert plain.keys() == safe.keys()
    assert all(torch.equal(plain[name], safe[name]) for name in safe)


def test_the_training_config_builds_the_network_of_the_weights(packed):
    train = yaml.safe_load(packed.files["configs/train.yaml"])
    # Of the header; the bundle's defaults are instance norm, 3x3x3 and patches of 96x96x32.
    assert train["network_def"]["norm_kind"] == "batch"
    assert train["network_def#kernel_sizes"] == [[3, 3, 1], [3, 3, 1], 3, 3]
    assert train["patch_size"] == [80, 80, 40]
    own = (BUNDLE / "configs" / "train.yaml").read_text().splitlines()
    comments = [line.partition("#")[2] for line in own if " # " in line or line.startswith("#")]
    text = packed.files["configs/train.yaml"].decode()
    assert all(comment in text for comment in comments)


def test_the_golden_case_holds_every_class_and_belongs_to_the_weights(packed):
    case = read_golden(packed.files[CASE], "zip")
    for name, digest in ((case.image, case.image_sha256), (case.label, case.label_sha256)):
        content = packed.files[f"golden/{name}"]
        assert hashlib.sha256(content).hexdigest() == digest
        assert len(content) < 200_000
    _, texts = read_state(BUNDLE / "models" / "model.safetensors")
    assert case.weights_sha256 == texts["tensors_sha256"]
    assert case.classes == ("background", "lung", "infection")


def test_half_precision_halves_the_file_and_says_so_of_the_scores(trained, tmp_path):
    # A copy, as other tests' quick trainings leave folders in the bundle that a pack refuses.
    bundle = tmp_path / trained.name
    shutil.copytree(trained, bundle, ignore=shutil.ignore_patterns("quick", "eval"))
    full = pack_bundle(bundle, PackChoices())
    half = pack_bundle(bundle, PackChoices(precision="half"))
    weights = "models/model.safetensors"
    assert full.problems == half.problems == ()
    assert len(half.files[weights]) < 0.7 * len(full.files[weights])


def test_a_bundle_without_weights_is_packed_as_a_recipe(bundle):
    shutil.rmtree(bundle / "models")
    recipe = pack_bundle(bundle, PackChoices())
    assert recipe.problems == ()
    assert CASE not in recipe.files
    assert any("no weights" in remark for remark in recipe.remarks)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("models/checkpoint.pt", "may be a pickle"),
        ("data.pkl", "may be a pickle"),
        ("models/other.safetensors", "is not part of a packed bundle"),
        ("scripts/net.py", "is code"),
        ("configs/run.sh", "is code"),
        ("notes.docx", "is not part of a packed bundle"),
        ("docs/overlay.png", "is not part of a packed bundle"),
        (".env", "is not part of a packed bundle"),
        ("configs/sub/train.yaml", "is not part of a packed bundle"),
    ],
)
def test_files_on_no_list_are_refused(name, said, bundle):
    path = bundle / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    assert f"{name}: {said}" in problems_of(bundle)


def test_a_link_is_refused_whatever_it_leads_to(bundle):
    (bundle / "docs" / "license.txt").symlink_to(bundle / "LICENSE")
    assert "docs/license.txt: is a symbolic link" in problems_of(bundle)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("configs/train.yaml", "dataset_dir: data", "dataset_dir: /data/x",
         "configs/train.yaml: dataset_dir: is the absolute path '/data/x'"),
        ("configs/inference.yaml", "dataset_dir: data", "dataset_dir: ~/scans",
         "configs/inference.yaml: dataset_dir: is the absolute path '~/scans'"),
        ("configs/inference.yaml", "dataset_dir: data", "dataset_dir: 'D:\\scans'",
         "configs/inference.yaml: dataset_dir: is the absolute path"),
        ("configs/train.yaml", "# folder of the data set", "# /home/mueller/covid",
         "configs/train.yaml:9: holds the path '/home/mueller/covid'"),
        ("configs/metadata.json", "seven Coronacases", "seven of /mnt/pacs/export",
         "configs/metadata.json: data_source: holds the path '/mnt/pacs/export'"),
        ("configs/metadata.json", "seven Coronacases", "MUELLER^HANS",
         "configs/metadata.json: data_source: holds a name as DICOM writes it"),
        ("configs/metadata.json", "seven Coronacases", "scans of 2021-03-04",
         "configs/metadata.json: data_source: holds the date '2021-03-04'"),
        ("configs/covid19_ct_seg.json", '"source": "', '"source": "1.2.276.0.7230010.3.1.4.12 ',
         "configs/covid19_ct_seg.json: source: holds the DICOM UID"),
        ("docs/README.md", "## Recipe", "Patient born 04.03.1950", "holds the date '04.03.1950'"),
        ("docs/data_license.txt", "Licence:", "\\\\server\\share\\ct Licence:",
         "docs/data_license.txt:10: holds the path"),
    ],
)  # fmt: skip
def test_paths_and_patients_are_refused_by_file_and_key(file, old, new, said, bundle):
    change(bundle, file, old, new)
    assert said in problems_of(bundle)


def test_a_patient_of_the_manifest_may_not_stand_on_the_card_nor_on_the_terminal(bundle):
    change(bundle, "configs/covid19_ct_seg.json", '"coronacase_01"', '"Mueller_Hans"')
    change(bundle, "docs/README.md", "## Recipe", "The worst case is Mueller_Hans.\n\n## Recipe")
    card = (bundle / "docs/README.md").read_text().splitlines()
    line = card.index("The worst case is Mueller_Hans.") + 1
    found = problems_of(bundle)
    assert f"docs/README.md:{line}: names a patient of the manifest; remove it" in found
    assert "Mueller" not in found


def resaved(bundle: Path, **changes) -> None:
    """The bundle's weights with another header."""
    path = bundle / "models" / "model.safetensors"
    state, texts = read_state(path)
    write_state(state, path, {**texts, **changes})


def test_a_path_in_the_weights_header_is_refused(bundle):
    resaved(bundle, note=json.dumps({"started_in": "/home/mueller/train"}))
    assert "models/model.safetensors: note#started_in: is the absolute path" in problems_of(bundle)


def provenance_of(bundle: str, data: str) -> str:
    stated = Provenance(
        bundle=bundle, version="0.1.0", data=data, trained_on="images", tensors_sha256=""
    )
    return json.dumps(provenance_json(stated))


def test_weights_of_non_commercial_data_are_refused(bundle):
    resaved(bundle, provenance=provenance_of(BUNDLE.name, "covid19_ct_seg"))
    assert "configs/covid19_ct_seg.json: licence:" in problems_of(bundle)
    assert "CC BY-NC-SA 4.0" in problems_of(bundle)


def test_weights_of_data_without_a_manifest_are_refused(bundle):
    resaved(bundle, provenance=provenance_of(BUNDLE.name, "our_patients"))
    assert "provenance#data: trained on our_patients, whose manifest is not" in problems_of(bundle)


def test_weights_of_another_bundle_are_refused(bundle):
    resaved(bundle, provenance=provenance_of("another_bundle", "covid19_ct_seg"))
    assert "the weights were trained by the bundle another_bundle" in problems_of(bundle)


def test_weights_that_do_not_say_who_trained_them_are_refused(bundle):
    resaved(bundle, provenance="{}")
    assert "do not say who trained them" in problems_of(bundle)


def test_damaged_weights_are_refused(bundle):
    path = bundle / "models" / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        pack_bundle(bundle, PackChoices())


@pytest.mark.parametrize("file", ["LICENSE", "docs/data_license.txt"])
def test_a_licence_is_not_optional(file, bundle):
    (bundle / file).write_text("\n")
    assert f"{file}: missing or empty" in problems_of(bundle)


def test_a_version_without_a_changelog_entry_is_refused(bundle):
    change(bundle, "configs/metadata.json", '"version": "', '"version": "9')
    with pytest.raises(DataError, match="changelog has no entry for version"):
        pack_bundle(bundle, PackChoices())


def test_a_bundle_that_is_not_safe_is_refused_and_not_run(bundle, tmp_path):
    ran = tmp_path / "ran"
    change(bundle, "configs/inference.yaml", "dataset_dir: data",
           "dataset_dir: \"$__import__('pathlib').Path('ran').touch()\"")  # fmt: skip
    assert "configs/inference.yaml:7: dataset_dir:" in problems_of(bundle)
    assert not ran.exists()


def test_a_twin_that_says_something_else_is_refused(bundle):
    (bundle / "configs" / "inference.json").write_text('{"dataset_dir": "other"}')
    assert "configs/inference.json: differs from inference.yaml" in problems_of(bundle)


def test_a_users_golden_image_needs_a_licence(bundle, tmp_path):
    with pytest.raises(UsageError, match="--golden-licence"):
        pack_bundle(bundle, PackChoices(golden=tmp_path / "x.nii.gz"))
