"""Pictures of a sensitivity study: the predictions of ablated networks, and filters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from medseg.networks.unet import UNet
from medseg.studies.pages.plot_style import label
from medseg.studies.pruning.subject import HeldOutCase, Subject, with_network

__all__ = ["middle_slices", "predictions_figure", "shown_cases"]

_MOST_CASES = 6
_COLOURS = ((0.0, 0.45, 0.70), (0.84, 0.37, 0.0), (0.0, 0.62, 0.45), (0.8, 0.47, 0.65))


def shown_cases(cases: Sequence[HeldOutCase]) -> list[HeldOutCase]:
    """The first case of each group, or the first ones where there are no groups."""
    groups = {case.group: case for case in reversed(cases)}
    chosen = list(groups.values())[::-1] if len(groups) > 1 else list(cases)
    return chosen[:_MOST_CASES]


def predictions_figure(
    subject: Subject, cases: Sequence[HeldOutCase], networks: Mapping[str, UNet]
) -> Figure:
    """Image, reference and the labels of each network; of volumes, the slice with most of a label.

    Args:
        subject: Whose bundle labels them.
        cases: One row each.
        networks: By what stands above their column.
    """
    columns = ["image", "reference", *networks]
    figure = Figure(figsize=(1.7 * len(columns), 1.85 * len(cases) + 0.3), layout="constrained")
    axes = figure.subplots(len(cases), len(columns), squeeze=False)
    for row, case in zip(axes, cases, strict=True):
        labels = [case.label, *(_labelled(subject, one, case) for one in networks.values())]
        grid = case.image.shape[1:]
        # In the network's grid, the image is as the network sees it; labels are in the file's.
        depth = _fullest(case.label)
        shown = [_image(case, None if depth is None else depth / case.label.shape[2], len(grid))]
        shown += [_coloured(one if depth is None else one[:, :, depth]) for one in labels]
        for axis, picture in zip(row, shown, strict=True):
            axis.imshow(np.swapaxes(picture, 0, 1))
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(label(case.group or case.name, 20), fontsize=8)
    for axis, name in zip(axes[0], columns, strict=True):
        axis.set_title(label(name, 26), fontsize=8)
    return figure


def middle_slices(network: UNet, name: str) -> NDArray[Any]:
    """Filters of a convolution as pictures: of its first input, and the middle slice in 3-D.

    Returns:
        `(filters, I, J)`.
    """
    weight = network.get_submodule(name).get_parameter("weight").detach().numpy()
    first = weight[:, 0]
    return first[..., first.shape[-1] // 2] if first.ndim == 4 else first


def _labelled(subject: Subject, network: UNet, case: HeldOutCase) -> NDArray[Any]:
    return with_network(subject, network).predictor.label(case.image).array


def _fullest(reference: NDArray[Any]) -> int | None:
    if reference.ndim == 2:
        return None
    return int((reference > 0).sum(axis=(0, 1)).argmax())


def _image(case: HeldOutCase, depth: float | None, axes: int) -> NDArray[Any]:
    image = case.image.as_tensor().numpy()
    if axes == 3:
        share = 0.5 if depth is None else depth
        image = image[..., int(share * image.shape[-1])]
    low, high = np.percentile(image, [1, 99])
    scaled = np.clip((image - low) / max(high - low, 1e-6), 0, 1)
    return np.moveaxis(scaled if len(scaled) == 3 else np.repeat(scaled[:1], 3, axis=0), 0, -1)


def _coloured(values: NDArray[Any]) -> NDArray[Any]:
    picture = np.ones((*values.shape, 3))
    for value in range(1, int(values.max(initial=0)) + 1):
        picture[values == value] = _COLOURS[(value - 1) % len(_COLOURS)]
    return picture
