"""Model card: facts from metadata and weights, and what was written by hand kept."""

import json
import shutil

import pytest
import yaml

from medseg.sharing.describing.card import CARD, card_text, read_card_facts, update_card
from medseg.sharing.packing.pack import PackChoices, pack_bundle
from tests.conftest import BUNDLE, REPOSITORY

BUNDLES = sorted(path.parents[1] for path in REPOSITORY.glob("bundles/*/configs/metadata.json"))


@pytest.fixture
def bundle(tmp_path):
    copy = tmp_path / BUNDLE.name
    shutil.copytree(BUNDLE, copy, ignore=shutil.ignore_patterns("eval", "*.pt"))
    return copy


def front_matter(text: str):
    return yaml.safe_load(text.split("---\n")[1])


def change_metadata(bundle, **keys):
    path = bundle / "configs" / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_the_cards_of_the_repository_are_as_their_metadata_says(bundle):
    if bundle.name == "hela_cells_unet2d" and (bundle / "models").is_dir():
        pytest.skip("a training of one's own lies in the bundle's models/")
    text = (bundle / CARD).read_text(encoding="utf-8")
    assert card_text(text, read_card_facts(bundle)) == text, "run `medseg bundle card`"


def test_the_front_matter_is_what_the_hub_reads():
    front = front_matter((BUNDLE / CARD).read_text())
    assert front["library_name"] == "monai"
    assert front["pipeline_tag"] == "image-segmentation"
    # Of the phantoms that the weights are made of, as docs/data_license.txt says.
    assert front["license"] == "cc0-1.0"
    metrics = front["model-index"][0]["results"][0]["metrics"]
    assert {"type": "dsc", "name": "dsc lung", "value": 0.981} in metrics


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("ebhi_histology_unet2d", "cc-by-4.0"),
        ("hippocampus_mri_unet3d", "cc-by-sa-4.0"),
        ("hela_cells_unet2d", "apache-2.0"),
    ],
)
def test_the_licence_is_that_of_the_weights_or_of_the_configs_without_any(name, licence):
    assert front_matter((REPOSITORY / "bundles" / name / CARD).read_text())["license"] == licence


def test_updating_twice_changes_nothing_and_keeps_what_was_written_by_hand(bundle):
    path = bundle / CARD
    path.write_text(path.read_text() + "\nBy hand | <b> & \\1.\n")
    assert not update_card(bundle)
    change_metadata(bundle, task="Another task")
    assert update_card(bundle)
    assert not update_card(bundle)
    assert "Another task" in path.read_text()
    assert path.read_text().endswith("\nBy hand | <b> & \\1.\n")


def test_a_bundle_without_a_card_gets_one(bundle):
    (bundle / CARD).unlink()
    assert update_card(bundle)
    text = (bundle / CARD).read_text()
    assert "\n# Segmentation of lung and COVID-19 infection in chest CT\n" in text
    assert "| lung | dsc | 0.981 | 0.977 to 0.984 |" in text


def test_text_of_the_metadata_does_not_become_markup(bundle):
    change_metadata(bundle, task="a | b <script>x</script> `c`")
    update_card(bundle)
    assert "| task | a \\| b &lt;script>x&lt;/script> 'c' |" in (bundle / CARD).read_text()


def test_scores_of_other_weights_are_called_that(bundle):
    scores = json.loads((bundle / "configs" / "metadata.json").read_text())["scores"]
    change_metadata(bundle, scores={**scores, "weights_sha256": "0" * 64})
    update_card(bundle)
    assert "Scores of weights that are not in this bundle: " in (bundle / CARD).read_text()


def test_a_pack_of_other_weights_has_their_facts_on_its_card(trained):
    card = pack_bundle(BUNDLE, PackChoices(weights=trained / "models" / "model.safetensors"))
    text = card.files[CARD].decode()
    assert "Scores of weights that are not in this bundle: " in text
    assert read_card_facts(trained).provenance.tensors_sha256 in text
