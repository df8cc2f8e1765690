"""Preview of a recipe: augmented samples, each below the patch it was made from.

Settings of a recipe (12 mm, 15 degrees, gamma 0.7) mean little until they are seen on one's own
image. The grid shows the deformation, the contours whether the label was deformed with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medseg.data.colours import class_colour
from medseg.reports.page import Entry, compose
from medseg.reports.panels import Panel
from medseg.reports.preview_grid import Places, grid_lines, line_distance, step_words, warp_words
from medseg.reports.preview_steps import as_tensor, seeded, trace
from medseg.reports.preview_view import View
from medseg.transforms.sampling_grid import PatchGrid
from medseg.transforms.warp import Warp
from medseg.transforms.warp_patch import plan_patch, warp_patch

__all__ = ["PLACES_KEY", "RECORD_KEY", "Drawn", "draw_samples", "preview_page"]

# Extra key that `RandWarpPatchd` warps, and its `record_key`.
PLACES_KEY, RECORD_KEY = "preview_places", "preview_record"

_COLUMNS = 5
_MOST_ENTRIES = 24
_CAPTION_LETTERS = 48
_PERCENTILES = (0.5, 99.5)

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Patch:
    """A patch: image `(C, *spatial)`, label `(1, *spatial)`, source indices `(n, *spatial)`."""

    image: Array
    label: Array
    places: Array | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """One draw: the patch before and after augmentation, and the changes.

    Attributes:
        before: The patch without augmentation; cropped from the middle of the case if the recipe
            has no `RandWarpPatchd`.
        after: The augmented sample.
        record: Parameters of the warp, if there was one.
        changed: Steps that changed the image.
    """

    before: Patch
    after: Patch
    record: Mapping[str, Any] | None
    changed: Sequence[str]


def draw_samples(
    case: Mapping[str, Any], steps: Sequence[Callable[[Any], Any]], seed: int, samples: int
) -> list[Drawn]:
    """Draw augmented samples of a case, with the patches they were made from.

    Args:
        case: Prepared; `image` and `label` at least.
        steps: Augmentation, with `PLACES_KEY` among the warped keys and `RECORD_KEY` as record key.
        seed: Random seed of the samples.
        samples: Number of samples.

    Raises:
        DataError: If a step fails.
    """
    places = Places(case["image"].shape[1:])
    traced = {**case, PLACES_KEY: places}
    return [_draw(traced, seeded(steps, seed, number)) for number in range(samples)]


def _draw(case: Mapping[str, Any], steps: Sequence[Callable[[Any], Any]]) -> Drawn:
    sample, changed = trace(case, steps)
    record = sample.get(RECORD_KEY)
    after = Patch(
        image=as_tensor(sample["image"]).numpy(),
        label=as_tensor(sample["label"]).numpy(),
        places=None if record is None else as_tensor(sample[PLACES_KEY]).numpy(),
    )
    size = after.image.shape[1:]
    middle = tuple((n - s) // 2 for n, s in zip(case["image"].shape[1:], size, strict=True))
    start = middle if record is None else tuple(record["start"])
    return Drawn(before=_cut(case, start, size), after=after, record=record, changed=changed)


def _cut(case: Mapping[str, Any], start: tuple[int, ...], size: tuple[int, ...]) -> Patch:
    grid = PatchGrid(start=start, size=size, spacing_mm=(1.0,) * len(size))
    shape = case["image"].shape[1:]
    plan = plan_patch(shape, grid, Warp.identity(len(size)))
    image, places = (warp_patch(case[key], plan, "linear").numpy() for key in ("image", PLACES_KEY))
    return Patch(
        image=image, label=warp_patch(case["label"], plan, "nearest").numpy(), places=places
    )


def preview_page(drawn: Sequence[Drawn], view: View, title: str) -> Image.Image:
    """Lay out the samples in columns.

    Args:
        drawn: See `draw_samples`; at least one.
        view: Orientation of the patches on the page.
        title: Title of the page.
    """
    layers = _layers(drawn, view)
    windows = [_window([one.before.image for one in layer]) for layer in layers]
    columns = [
        [
            panel
            for place, (layer, window) in enumerate(zip(layers, windows, strict=True), start=1)
            for panel in _column(f"{number}{_of(place, layers)}", layer[number - 1], view, window)
        ]
        for number in range(1, len(drawn) + 1)
    ]
    # Rows of equal length, rather than a single sample in the last.
    wide = ceil(len(columns) / ceil(len(columns) / _COLUMNS))
    rows = [
        [column[row] for column in columns[first : first + wide]]
        for first in range(0, len(columns), wide)
        for row in range(2 * len(layers))
    ]
    values = {
        int(v) for one in drawn for patch in (one.before, one.after) for v in np.unique(patch.label)
    }
    legend = [Entry(f"class {v}", class_colour(v)) for v in sorted(values) if v > 0]
    return compose(title, rows, legend[:_MOST_ENTRIES], _note(drawn[0], view, windows))


def _layers(drawn: Sequence[Drawn], view: View) -> list[Sequence[Drawn]]:
    """The samples for each channel; colours are one."""
    count = len(drawn[0].after.image)
    if count == 1 or (count == 3 and view.unit == "px"):
        return [drawn]
    return [[_channel(one, number) for one in drawn] for number in range(count)]


def _channel(one: Drawn, number: int) -> Drawn:
    before, after = (
        replace(patch, image=patch.image[number : number + 1]) for patch in (one.before, one.after)
    )
    return replace(one, before=before, after=after)


def _of(place: int, layers: Sequence[object]) -> str:
    return f" channel {place}:" if len(layers) > 1 else ""


def _window(images: Sequence[Array]) -> tuple[float, float]:
    """One grey-value window for all panels, so that changes of intensity are visible."""
    low, high = min(image.min() for image in images), max(image.max() for image in images)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    values = np.concatenate([image.ravel() for image in images])
    low, high = (float(v) for v in np.percentile(values, _PERCENTILES))
    return low, high


def _column(number: str, one: Drawn, view: View, window: tuple[float, float]) -> list[Panel]:
    after = _turned(one.after, view)
    before = _turned(one.before, view)
    k = _fullest(after.label[0])
    warped = "" if one.record is None else warp_words(one.record, view.unit)
    words = "\n".join([f"{number} {warped}", *wrap(step_words(one.changed), _CAPTION_LETTERS)])
    prepared = _panel(before, _same_place(before, after, k, view), view, window)
    # A sample may be mirrored, so its sides are not named.
    return [
        replace(prepared, caption=f"{number} as prepared"),
        replace(_panel(after, k, view, window), caption=words, sides=None),
    ]


def _turned(patch: Patch, view: View) -> Patch:
    places = None if patch.places is None else view.turn(patch.places)
    return Patch(image=view.turn(patch.image), label=view.turn(patch.label), places=places)


def _fullest(label: Array) -> int:
    """The slice with most foreground; the middle one without any."""
    counts = (label > 0).sum(axis=(0, 1))
    return int(counts.argmax()) if counts.any() else label.shape[2] // 2


def _same_place(before: Patch, after: Patch, k: int, view: View) -> int:
    """The slice before augmentation that a slice of the sample mostly comes from."""
    if before.places is None or after.places is None or before.places.shape[0] == 2:
        return min(k, before.label.shape[3] - 1)
    through = view.axes[2]
    came_from = after.places[through, :, :, k].mean()
    return int(np.abs(before.places[through].mean(axis=(0, 1)) - came_from).argmin())


def _panel(patch: Patch, k: int, view: View, window: tuple[float, float]) -> Panel:
    across, down = patch.label.shape[1:3]
    lines = None
    if patch.places is not None:
        drawn = patch.places[list(view.axes[:2]), :, :, k].swapaxes(1, 2)
        lines = partial(grid_lines, drawn, line_distance((across, down)))
    return Panel(
        grey=_pixels(patch.image[..., k], window),
        label=patch.label[0, :, :, k].T,
        reference=None,
        size_mm=view.size_mm(across, down),
        caption="",
        label_as="outlined",
        sides=view.sides,
        lines=lines,
    )


def _pixels(image: Array, window: tuple[float, float]) -> NDArray[np.uint8]:
    """Scale `(C, across, down)` to 8 bits: RGB for three channels, else the first channel."""
    low, high = window
    scaled = (np.nan_to_num(image.astype(np.float32)) - low) / max(high - low, 1e-6)
    pixels = (255 * scaled.clip(0, 1)).round().astype(np.uint8)
    return pixels.T if len(pixels) == 3 else pixels[0].T


def _note(one: Drawn, view: View, windows: Sequence[tuple[float, float]]) -> str:
    size = _turned(one.after, view).label.shape[1:3]
    parts = ["Above each sample the patch that it was made from."]
    if one.record is not None:
        what = "pixels" if view.unit == "px" else "voxels"
        parts.append(f"Grid: {line_distance(size)} {what}.")
    if view.sides is not None:
        parts.append("As prepared, the patient's right is on the left.")
    spans = ", ".join(f"{low:.3g} to {high:.3g}" for low, high in windows)
    return " ".join([*parts, f"Grey values {spans}."])
