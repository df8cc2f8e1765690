"""How a weight map gets from the batch to the loss, through MONAI's `SupervisedTrainer`.

The trainer asks `prepare_batch` for image and target and calls `loss_function(pred, target)`;
there is no third thing. So the target is a pair, and the loss takes it apart. In a config:

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
    """What the trainer's output holds as `label`; metrics of training take its `label`.

    Attributes:
        label: `(B, 1, *spatial)`.
        weight: `(B, 1, *spatial)`, the weight map.
    """

    label: Tensor
    weight: Tensor


class WeightedBatch:
    """A trainer's `prepare_batch`: image, and label with weight map, on the device.

    Args:
        weight_key: Where the batch holds the weight map.
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
            device: Where they go.
            non_blocking: Whether the copy may overlap with computing, as of `Tensor.to`.
            kwargs: More arguments of `Tensor.to`, the trainer's `to_kwargs`.

        Raises:
            UsageError: If the batch has no weight map.
        """
        if self.weight_key not in batchdata:
            raise UsageError(
                f"WeightedBatch: no {self.weight_key!r} among the batch's keys "
                f"{', '.join(sorted(batchdata))}; let the recipe make it "
                "(medseg.transforms.BorderWeightd) and its random warp move it"
            )
        image, label, weight = (
            batchdata[key].to(device=device, non_blocking=non_blocking, **kwargs)
            for key in ("image", "label", self.weight_key)
        )
        return image, WeightedLabel(label, weight)


class WeightedLoss(nn.Module):
    """A trainer's `loss_function`: hands label and weight map of the target to a loss.

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
            target: As `WeightedBatch` gives it.

        Raises:
            UsageError: If the target came without weight map.
        """
        if not isinstance(target, WeightedLabel):  # pyright: ignore[reportUnnecessaryIsInstance] - MONAI's own prepare_batch gives a tensor
            raise UsageError(
                "WeightedLoss: the label came without its weight map; give the trainer "
                "medseg.training.WeightedBatch as prepare_batch"
            )
        return self.loss(logits, target.label, target.weight)
