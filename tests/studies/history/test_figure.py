"""The picture of a history: a panel a metric, segments to its stop, and the words around."""

from pathlib import Path

import pytest
from PIL import Image

from medseg.studies.history.figure import Words, history_figure, write_history_figure
from medseg.studies.history.history import read_history

LOG = Path(__file__).with_name("fat_unet.csv")
LABELS = {"loss": "Multilabel Balanced Dice Loss", "vsat_dice": "VAT Dice Score"}
WORDS = Words(title="The title", subtitle="Its subtitle", caption="UNet NN: x_N204")


@pytest.fixture(scope="module")
def history():
    return read_history([LOG], labels=LABELS)


def test_training_and_validation_share_a_panel_under_their_label(history):
    titles = [axes.get_title(loc="left") for axes in history_figure(history, WORDS).axes]
    assert titles[:3] == ["Multilabel Balanced Dice Loss", "sdice", "background dice"]
    assert titles[3] == "VAT Dice Score"


def test_segments_lead_to_the_epoch_that_the_table_says(history):
    vat = history_figure(history, WORDS).axes[3]
    ends = [tuple(line.get_xydata()[-1]) for line in vat.lines if len(line.get_xdata()) == 2]
    # Down to the axis and across to it, of training (epoch 8) and of validation (epoch 7).
    assert ends == [(8, 0.845), (8, 0.845), (7, 0.83), (7, 0.83)]
    assert [text.get_text() for text in vat.texts] == ["epoch 7", "epoch 8"]


def test_title_subtitle_and_caption_are_there_and_below_one_another(history):
    texts = {
        text.get_text(): text.get_position()[1] for text in history_figure(history, WORDS).texts
    }
    title, subtitle, caption = (texts[t] for t in (WORDS.title, WORDS.subtitle, WORDS.caption))
    assert title > subtitle > caption


def test_larger_letters_make_a_larger_picture_of_the_same_form(history):
    small, large = (history_figure(history, Words(base_size=size)) for size in (12, 24))
    assert large.get_size_inches() == pytest.approx(2 * small.get_size_inches())


def test_png_and_svg_are_the_same_each_time(history, tmp_path):
    for folder in ("a", "b"):
        paths = [tmp_path / folder / name for name in ("history.png", "history.svg")]
        write_history_figure(history, WORDS, paths)
    for name in ("history.png", "history.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with Image.open(tmp_path / "a" / "history.png") as picture:
        assert picture.size[0] > 1000
    assert b"<svg" in (tmp_path / "a" / "history.svg").read_bytes()


def test_dollar_signs_of_a_label_are_no_formula(history):
    words = Words(title="$a_{b$", caption="cost $5 and $6")
    texts = [text.get_text() for text in history_figure(history, words).texts]
    assert "$a_{b$" in texts


def test_several_trainings_are_a_band_with_a_mark_each(tmp_path):
    later = tmp_path / "later.csv"
    later.write_text(LOG.read_text().replace("5,0.090", "5,0.080"))
    axes = history_figure(read_history([LOG, later]), Words()).axes[0]
    assert len(axes.collections) == 2
    assert len([line for line in axes.lines if line.get_marker() == "o"]) == 4
