"""Weight maps for a pixel-weighted loss, through MONAI's `SupervisedTrainer`.

The trainer asks `prepare_batch` for image and target and calls `loss_function(pred, target)`;
there is no third argument. So the target is a pair of label and weight map. In a config:

    prepare_batch: {_target_: medseg.training.WeightedBatch}
    loss_function: {_target_: medseg.training.WeightedLoss, loss: "@loss"}
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from medseg.errors import UsageError

__all__ = ["WeightedBatch", "WeightedLabel", "WeightedLoss"]


class WeightedLabel(NamedTuple):
    """Label and weight map, in the trainer's output as `label`.

    Attributes:
        label: `(B, 1, *spatial)`.
        weight: `(B, 1, *spatial)`, the weight map.
    """

    label: Tensor
    weight: Tensor


class WeightedBatch:
    """A trainer's `prepare_batch`: image, and label with weight map, on the device.

    Args:
        weight_key: Key of the weight map in the batch.
    """

    def __init__(self, weight_key: str = "weight") -> None:
        self.weight_key = weight_key

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,  # noqa: FBT001, FBT002 - ignite's signature
        **kwargs: Any,
    ) -> tuple[Tensor, WeightedLabel]:
        """Return the image and its target.

        Args:
            batchdata: `image`, `label` and the weight map, `(B, C, *spatial)` each.
            device: Where they are copied to.
            non_blocking: Whether the copy may overlap with computing, as of `Tensor.to`.
            kwargs: More arguments of `Tensor.to`, the trainer's `to_kwargs`.

        Raises:
            UsageError: If the batch has no weight map.
        """
        if self.weight_key not in batchdata:
            raise UsageError(
                f"WeightedBatch: no {self.weight_key!r} among the batch's keys "
                f"{', '.join(sorted(batchdata))}; make it in the recipe "
                "(medseg.transforms.BorderWeightd), and warp it with the image"
            )
        image, label, weight = (
            batchdata[key].to(device=device, non_blocking=non_blocking, **kwargs)
            for key in ("image", "label", self.weight_key)
        )
        return image, WeightedLabel(label, weight)


class WeightedLoss(nn.Module):
    """A trainer's `loss_function`: pass label and weight map of the target to a loss.

    Args:
        loss: Called with logits, label and weight map, such as `PixelWeightedCELoss` or a
            `MixedLoss` that holds one.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, target: WeightedLabel) -> Tensor:
        """Return the loss.

        Args:
            logits: `(B, C, *spatial)`.
            target: As `WeightedBatch` returns it.

        Raises:
            UsageError: If the target has no weight map.
        """
        if not isinstance(target, WeightedLabel):  # pyright: ignore[reportUnnecessaryIsInstance] - MONAI's own prepare_batch gives a tensor
            raise UsageError(
                "WeightedLoss: the label has no weight map; set the trainer's prepare_batch to "
                "medseg.training.WeightedBatch"
            )
        return self.loss(logits, target.label, target.weight)
