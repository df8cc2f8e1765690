"""TensorBoard image of one validation slice: image, label and prediction, epoch by epoch.

A score of 0.4 does not say whether the network labels half of the lung, or the lung with left and
right swapped; a picture does. One slice costs a tenth of a second, so each validation draws one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from ignite.engine import Events
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.tensorboard.writer import SummaryWriter

from medseg.data.colours import class_colour
from medseg.data.wording import in_words
from medseg.reports.page import Entry, compose
from medseg.reports.panels import Panel
from medseg.training.ignite_engine import EngineLike

__all__ = ["ValidationSlice", "slice_page"]

_WINDOW_PERCENTILES = (0.5, 99.5)
_MOST_ENTRIES = 24


class ValidationSlice:
    """Handler of a MONAI evaluator: writes a picture of its first case to TensorBoard.

    For a volume, the axial slice with most labelled voxels; for a picture, all of it.
    """

    def __init__(self, log_dir: str, class_names: Sequence[str]) -> None:
        """Store the settings; the event file is opened with the first picture.

        Args:
            log_dir: Folder of the event files.
            class_names: One for each label value, the background's first.
        """
        self.log_dir = log_dir
        self.class_names = class_names
        self._writer: SummaryWriter | None = None

    def attach(self, engine: EngineLike) -> None:
        """Attach the handler to an evaluator."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: EngineLike) -> None:
        """Draw the first case of a validation."""
        if engine.state.iteration != 1:
            return
        case = _first(engine.state.output)
        if case["label"] is None:
            return
        epoch = engine.state.epoch
        page = slice_page(
            _array(case["image"]),
            _classes(case["label"]),
            _classes(case["pred"]),
            title=f"epoch {epoch}: {_name(engine.state.batch)}",
            class_names=self.class_names,
        )
        self._writer = self._writer or SummaryWriter(self.log_dir)
        cast("Any", self._writer).add_image("validation", page, epoch, dataformats="HWC")
        self._writer.flush()


def slice_page(
    image: NDArray[Any],
    label: NDArray[Any],
    pred: NDArray[Any],
    *,
    title: str,
    class_names: Sequence[str],
) -> NDArray[np.uint8]:
    """Draw the image, and next to it the prediction as a fill with the label as a white line.

    Args:
        image: `(C, I, J, K)` in RAS, or `(C, rows, columns)`; one grey channel, three for RGB, or
            more, of which the first is shown.
        label: `(*spatial)`, class indices.
        pred: Likewise.
        title: Title of the picture.
        class_names: One for each label value, the background's first.

    Returns:
        `(rows, columns, 3)`, 8 bit.
    """
    sides = None
    if label.ndim == 3:
        k = int((label > 0).sum(axis=(0, 1)).argmax())
        # Radiological convention: anterior on top, the patient's right on the left.
        image, label, pred = (
            np.flip(array[..., k], (-2, -1)).swapaxes(-2, -1) for array in (image, label, pred)
        )
        sides = ("R", "L")
    grey = _grey(image)
    size_mm = (float(label.shape[1]), float(label.shape[0]))
    empty = np.zeros_like(label)
    panels = [
        Panel(
            grey=grey, label=empty, reference=None, size_mm=size_mm, caption="image", sides=sides
        ),
        Panel(
            grey=grey,
            label=pred,
            reference=label,
            size_mm=size_mm,
            caption="prediction, and label as a line",
            sides=sides,
        ),
    ]
    entries = [
        Entry(in_words(name), class_colour(value))
        for value, name in enumerate(class_names)
        if value > 0
    ]
    return np.asarray(
        compose(title, [panels], [*entries[:_MOST_ENTRIES], Entry("label", None)], "")
    )


def _first(output: Any) -> Mapping[str, Any]:
    if isinstance(output, list):
        return cast("list[Mapping[str, Any]]", output)[0]
    return {key: output[key][0] for key in ("image", "label", "pred")}


def _name(batch: Any) -> str:
    first = cast("Any", batch[0] if isinstance(batch, list) else batch)
    case = first.get("case", "a case")
    return str(case if isinstance(case, str) else case[0])


def _array(tensor: Tensor) -> NDArray[Any]:
    return tensor.detach().as_subclass(torch.Tensor).float().cpu().numpy()


def _classes(tensor: Tensor) -> NDArray[Any]:
    """Class indices from an index map `(1, *spatial)`, or the arg-max of logits."""
    plain = tensor.detach().as_subclass(torch.Tensor)
    indices = plain[0] if len(plain) == 1 else plain.argmax(0)
    return indices.cpu().numpy().astype(np.int64)


def _grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale to 8 bits between two percentiles: a recipe's intensities have no fixed range."""
    pixels = np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]
    low, high = np.percentile(pixels, _WINDOW_PERCENTILES)
    scaled = (pixels - low) / max(high - low, 1e-6)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
