"""What the picture of a case promises."""

import dataclasses

import nibabel
import numpy as np
import pytest
from PIL import Image

from medseg.data.colours import class_colour
from medseg.errors import DataError
from medseg.reports import MontageOptions, overlay, overlay_montage, page
from medseg.reports.display_window import display_window
from medseg.reports.hanging import hang
from tests.reports.test_hanging import stored_as

LUNG = MontageOptions(case="case_1", class_names=["background", "lung"])
# The first panel: 440 pixels wide, below the title.
LEFT, TOP, WIDTH = 24, 78, 440


def picture(path, image, label, affine, *, options=LUNG, reference=None):
    overlay_montage(image, label, affine, path, options, reference=reference)
    with Image.open(path) as file:
        return np.asarray(file)


def block(*, at, shape=(20, 20, 20)):
    label = np.zeros(shape, dtype=np.uint8)
    label[at] = 1
    return label


def first_panel(pixels, height=WIDTH):
    return pixels[TOP : TOP + height, LEFT : LEFT + WIDTH]


def where_coloured(panel, colour):
    rows, columns = np.nonzero((panel == np.array(colour)).all(axis=-1))
    return rows, columns


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SPR", "AIL", "PRI"])
def test_the_patients_right_is_on_the_left_and_the_front_on_top(tmp_path, codes):
    # In R, A, S: the voxels furthest to the right and to the front.
    label = block(at=(slice(15, 19), slice(15, 19), slice(0, 20)))
    stored, affine = stored_as(codes, label, np.eye(4))
    pixels = picture(tmp_path / "one.png", np.zeros(stored.shape), stored, affine)
    rows, columns = where_coloured(first_panel(pixels), class_colour(1))
    # 20 voxels of 22 pixels; one voxel is left free at the edge, four are marked.
    assert (columns.min(), columns.max()) == pytest.approx((22, 109), abs=2)
    assert (rows.min(), rows.max()) == pytest.approx((22, 109), abs=2)


def test_the_first_axial_slice_and_the_top_of_a_coronal_one_are_towards_the_head(tmp_path):
    label = block(at=(slice(8, 12), slice(8, 12), slice(8, 20)))
    image = np.zeros((20, 20, 20))
    image[:, :, 16:] = 100  # the head is bright
    options = MontageOptions(case="c", class_names=["background", "lung"], window=(0, 100))
    pixels = picture(tmp_path / "one.png", image, label, np.eye(4), options=options)
    corner = first_panel(pixels)[300:390, 300:420]
    assert (corner == 255).all()
    coronal = pixels[TOP + 3 * (WIDTH + 8) :, LEFT : LEFT + WIDTH]
    # 4 of 20 slices are 88 pixels; bicubic interpolation reaches over 2 slices, 44 pixels.
    assert (coronal[10:44, 300:420] == 255).all()
    assert (coronal[300:390, 300:420] == 0).all()


def test_how_a_volume_is_stored_changes_no_pixel(tmp_path):
    rng = np.random.default_rng(3)
    image = rng.normal(size=(12, 10, 8))
    label = (image > 1).astype(np.uint8)
    files, pages = [], []
    for codes in ("RAS", "LPI", "ASR"):
        stored_label, affine = stored_as(codes, label, np.diag([2.0, 2.0, 3.0, 1.0]))
        stored_image, _ = stored_as(codes, image, np.diag([2.0, 2.0, 3.0, 1.0]))
        files.append(tmp_path / f"{codes}.png")
        overlay_montage(stored_image, stored_label, affine, files[-1], LUNG)
        with Image.open(files[-1]) as file:
            # All but the captions: a slice's number is the file's.
            pages.append(first_panel(np.asarray(file), 360)[30:].tobytes())
    assert len(set(pages)) == 1


def test_pixels_have_the_shape_that_the_spacing_says(tmp_path):
    # 8 x 1.5 mm by 4 x 3 mm: a square of 12 mm
    label = block(at=(slice(4, 12), slice(4, 8), slice(0, 4)), shape=(40, 20, 4))
    affine = np.diag([1.5, 3, 5, 1])
    pixels = picture(tmp_path / "one.png", np.zeros(label.shape), label, affine)
    rows, columns = where_coloured(first_panel(pixels), class_colour(1))
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=3)
    assert np.ptp(rows) == pytest.approx(12 / 60 * WIDTH, abs=3)


def test_the_reference_is_a_white_line_around_its_own_place(tmp_path):
    label = block(at=(slice(12, 18), slice(10, 14), slice(0, 20)))
    reference = block(at=(slice(2, 8), slice(2, 6), slice(0, 20)))
    image = np.zeros(label.shape)
    with_it = picture(tmp_path / "one.png", image, label, np.eye(4), reference=reference)
    without = picture(tmp_path / "two.png", image, label, np.eye(4))
    rows, columns = where_coloured(first_panel(with_it)[220:, 220:], (255, 255, 255))
    # In the file's axes 2 to 8 and 2 to 6 of 20, 22 pixels each, from the right and the bottom.
    inside = (rows > 300 - 220) & (columns > 250 - 220) & (columns < 400 - 220)
    # Above the bar of scale.
    inside &= rows < 402 - 220
    assert np.ptp(columns[inside]) == pytest.approx(6 * 22, abs=3)
    assert np.ptp(rows[inside]) == pytest.approx(4 * 22, abs=3)
    assert not (first_panel(without)[320:390, 250:400] == 255).any()


def test_without_any_label_the_whole_volume_is_shown_and_said_to_be_empty(tmp_path):
    image = np.random.default_rng(0).normal(size=(300, 20, 30))
    empty = np.zeros(image.shape, dtype=np.uint8)
    pixels = picture(tmp_path / "one.png", image, empty, np.eye(4))
    # By hand: after a title of 30, with 1.3 times the size to the next, a line of 20.
    said = 39 + 20 - 30
    assert (pixels[: TOP + said] == (255, 190, 70)).all(axis=-1).any()
    pixels = pixels[said:]
    # 300 x 20 mm in 440 pixels
    height = round(20 / 300 * WIDTH)
    assert first_panel(pixels, height).std() > 10
    assert not where_coloured(first_panel(pixels, height), class_colour(1))[0].size


def test_a_small_lesion_keeps_some_of_the_body_around_it(tmp_path):
    label = block(at=(slice(200, 203), slice(200, 203), slice(0, 1)), shape=(400, 400, 1))
    pixels = picture(tmp_path / "one.png", np.zeros(label.shape), label, np.eye(4))
    _, columns = where_coloured(first_panel(pixels), class_colour(1))
    # 3 mm of at least 160 mm
    assert np.ptp(columns) == pytest.approx(3 / 160 * WIDTH, abs=3)


def test_the_file_carries_nothing_but_pixels(tmp_path):
    label = block(at=(slice(4, 8),) * 3)
    picture(tmp_path / "one.png", np.zeros(label.shape), label, np.eye(4))
    with Image.open(tmp_path / "one.png") as file:
        assert file.info == {}


def test_missing_values_and_constant_images_are_drawn(tmp_path):
    label = block(at=(slice(4, 8),) * 3)
    for name, image in (("nan", np.full(label.shape, np.nan)), ("ones", np.ones(label.shape))):
        pixels = picture(tmp_path / f"{name}.png", image, label, np.eye(4))
        assert where_coloured(first_panel(pixels), class_colour(1))[0].size


CT_WINDOWS = {
    # Median of what is labelled, and the grey of soft tissue (40 HU) by hand:
    # it lies 1240 of 1600, 200 of 400 and 540 of 1800 HU above black.
    "lung": (-850, 198),
    "soft tissue": (60, 128),
    "bone": (700, 76),
}


@pytest.mark.parametrize("kind", CT_WINDOWS)
def test_a_ct_is_shown_in_the_window_of_what_is_labelled(tmp_path, kind):
    labelled, grey = CT_WINDOWS[kind]
    label = block(at=(slice(15, 19), slice(15, 19), slice(0, 20)))
    image = np.full(label.shape, 40, np.int16)
    image[label > 0] = labelled
    image[0, 0] = -1000
    options = MontageOptions(case="c", class_names=["background", "lung"], modality="CT")
    pixels = picture(tmp_path / "one.png", image, label, np.eye(4), options=options)
    assert first_panel(pixels)[300, 150, 0] == pytest.approx(grey, abs=1)
    assert kind.replace(" ", "-") in display_window(image, label > 0, "CT").words


@pytest.mark.parametrize("modality", ["MR", "CT"])
def test_an_image_that_is_not_in_hu_is_shown_between_its_percentiles(modality):
    # 0 to 1000 in equal steps: the 1st percentile is 10, the 99.5th 995.
    image = np.linspace(0, 1000, 1001).reshape(1001, 1, 1)
    window = display_window(image, image > 500, modality)
    assert (window.low, window.high) == pytest.approx((10, 995))
    assert window.words == "Window from the 1st to the 99.5th percentile, W 985 L 502.5"


@pytest.mark.parametrize(("codes", "expected"), [("RAS", (2, 14)), ("LPI", (2, 5))])
def test_a_slice_has_the_number_that_the_file_gives_it(codes, expected):
    # The 15th of 20 slices from the foot is the 6th from the head.
    stored, affine = stored_as(codes, np.zeros((8, 9, 20)), np.eye(4))
    assert hang(stored.shape, affine).stored_index(2, 14, 20) == expected


def test_a_page_says_what_made_the_label_and_what_to_know_of_it(tmp_path):
    label = block(at=(slice(4, 8),) * 3)
    plain = picture(tmp_path / "one.png", np.zeros(label.shape), label, np.eye(4))
    told = dataclasses.replace(
        LUNG, made_by="bundle 0.1.0", cautions=["Research only", "Warning: another scanner"]
    )
    page = picture(tmp_path / "two.png", np.zeros(label.shape), label, np.eye(4), options=told)
    # By hand: after a title of 30 a line of 17 and two of 20, with 1.3 times the size to the next.
    assert page.shape[0] - plain.shape[0] == 39 + 22 + 26 + 20 - 30
    amber = (page == (255, 190, 70)).all(axis=-1)
    assert amber[: page.shape[0] - plain.shape[0] + TOP].any()


def test_the_note_of_an_oblique_volume_says_that_letters_are_the_nearest(tmp_path, monkeypatch):
    notes = []

    def compose(heading, rows, legend, note):
        notes.append(note)
        return page.compose(heading, rows, legend, note)

    monkeypatch.setattr(overlay, "compose", compose)
    label = block(at=(slice(4, 8),) * 3)
    for degrees in (0, 1, 23):
        turn = np.deg2rad(degrees)
        affine = np.eye(4)
        affine[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        picture(tmp_path / f"{degrees}.png", np.zeros(label.shape), label, affine)
    assert ["Oblique" in note for note in notes] == [False, False, True]
    assert "Oblique by 23 degrees: letters name the nearest side." in notes[-1]


def test_many_classes_are_drawn_and_the_legend_stays_short(tmp_path):
    label = np.arange(8 * 8 * 8, dtype=np.uint16).reshape(8, 8, 8) % 60
    options = MontageOptions(case="c", class_names=[f"class {i}" for i in range(60)])
    few = MontageOptions(case="c", class_names=[f"class {i}" for i in range(60)] + ["absent"] * 40)
    many = picture(tmp_path / "1.png", np.zeros(label.shape), label, np.eye(4), options=options)
    more = picture(tmp_path / "2.png", np.zeros(label.shape), label, np.eye(4), options=few)
    assert many.shape == more.shape


def test_shapes_that_differ_are_refused_with_the_case(tmp_path):
    label = np.zeros((4, 4, 4), dtype=np.uint8)
    with pytest.raises(DataError, match=r"case_1: image, label and reference must be one volume"):
        overlay_montage(np.zeros((4, 4, 5)), label, np.eye(4), tmp_path / "one.png", LUNG)
    assert not list(tmp_path.iterdir())


def test_a_value_without_a_name_is_refused_with_the_case(tmp_path):
    label = np.full((4, 4, 4), 2)
    with pytest.raises(DataError, match="case_1: label holds values from 2 to 2, but there are 2"):
        overlay_montage(np.zeros((4, 4, 4)), label, np.eye(4), tmp_path / "one.png", LUNG)


@pytest.mark.data
def test_the_heart_of_a_real_chest_is_on_the_right_of_the_picture(real_data, tmp_path):
    folder = real_data / "chest_ct" / "lung1-001"
    ct = nibabel.load(folder / "lung1-001_ct_256.nii.gz")
    label = np.asarray(nibabel.load(folder / "lung1-001_labels_256.nii.gz").dataobj)
    options = MontageOptions(
        case="c", class_names=["background", "left", "right", "cord", "tumour"]
    )
    pixels = picture(
        tmp_path / "one.png", np.asarray(ct.dataobj), label, ct.affine, options=options
    )
    second_row = pixels[TOP + 340 : TOP + 600, LEFT : LEFT + WIDTH]
    _, left_lung = where_coloured(second_row, class_colour(1))
    _, right_lung = where_coloured(second_row, class_colour(2))
    assert right_lung.mean() < WIDTH / 2 < left_lung.mean()
