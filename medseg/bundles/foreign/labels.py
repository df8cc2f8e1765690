"""Labels of a foreign bundle: its inferer and postprocessing, as an inferer that returns a label.

The bundle's own steps decide: activation, arg-max, return to the image's grid. Only saving is left
out, as `medseg predict` writes files itself.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.inferers.inferer import Inferer
from monai.transforms.io.dictionary import SaveImaged
from monai.transforms.post.dictionary import AsDiscreted, Invertd
from monai.utils.enums import MetaKeys
from torch import Tensor

from medseg.errors import DataError, is_out_of_memory

__all__ = ["ForeignLabels"]

Steps = Sequence[Any]


class ForeignLabels(Inferer):
    """Predict a label in the image's own grid, by the parts of another maker's bundle.

    Args:
        inferer: The bundle's; from an image and its network to logits.
        postprocessing: The steps of its postprocessing, in order; those that save are left out.
            A label that they interpolate on its way back is returned by nearest neighbour instead,
            as there are no classes between classes.
        image_key: The image's entry in its recipe.
        classes: Number of classes, the background included.
    """

    def __init__(
        self, inferer: Inferer, postprocessing: Steps, *, image_key: str, classes: int
    ) -> None:
        super().__init__()
        self.inferer = inferer
        self.steps: Steps = [step for step in postprocessing if not isinstance(step, SaveImaged)]
        self.image_key = image_key
        self.classes = classes
        _return_labels_as_labels(self.steps)

    def __call__(
        self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any
    ) -> MetaTensor:
        """Predict the label of one volume.

        Args:
            inputs: `(1, C, *spatial)`, with its history of transforms.
            network: Windows to logits.
            args: For the network.
            kwargs: For the network.

        Returns:
            `(1, 1, *spatial)` of the source, uint8 or uint16, with its affine.

        Raises:
            DataError: If the bundle's parts do not give one label in the grid of the image.
        """
        image = cast("MetaTensor", inputs[0])
        with torch.no_grad():
            logits = self._logits(inputs, network, *args, **kwargs)
            if not isinstance(logits, Tensor):
                raise DataError("the bundle's network returns several outputs, not one")
            data: dict[str, Any] = {self.image_key: image, "pred": logits[0]}
            for step in self.steps:
                data = step(data)
        return self._label(torch.as_tensor(data["pred"]).as_subclass(Tensor), image)

    def _logits(
        self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any
    ) -> Any:
        try:
            return self.inferer(inputs, network, *args, **kwargs)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            raise DataError(
                f"the bundle's network cannot take an image of {tuple(inputs.shape[2:])} in its "
                f"grid ({str(error).splitlines()[0][:120]})"
            ) from error

    def _label(self, pred: Tensor, image: MetaTensor) -> MetaTensor:
        meta = cast("Any", image).meta
        source = tuple(int(size) for size in meta[MetaKeys.SPATIAL_SHAPE])
        if tuple(pred.shape) != (1, *source):
            raise DataError(
                f"the bundle's postprocessing gives {tuple(pred.shape)}, not one label of the "
                f"image's {source}"
            )
        values = pred.cpu().numpy()
        whole = np.rint(values)
        if (values != whole).any() or whole.min() < 0 or whole.max() >= self.classes:
            raise DataError(
                f"the bundle's postprocessing gives other values than its {self.classes} classes "
                f"(from {values.min():g} to {values.max():g})"
            )
        label = whole.astype(np.uint8 if self.classes <= 256 else np.uint16)
        affine = torch.as_tensor(meta[MetaKeys.ORIGINAL_AFFINE])
        return MetaTensor(torch.as_tensor(label)[None], affine=affine[None], meta={})


def _return_labels_as_labels(steps: Steps) -> None:
    """Let inversions after an arg-max or threshold return labels by nearest neighbour."""
    discrete = False
    for step in steps:
        if isinstance(step, AsDiscreted):
            discrete = True
        elif discrete and isinstance(step, Invertd):
            cast("Any", step).nearest_interp = (True,) * len(step.keys)
