"""Networks: one U-Net for 2-D and 3-D, and others to compare it with."""

from typing import TYPE_CHECKING

from medseg._lazy import attach

if TYPE_CHECKING:
    from medseg.networks.compilation import Compile, compile_network
    from medseg.networks.cpu.instance_norm import InstanceNorm
    from medseg.networks.ensemble import Ensemble
    from medseg.networks.monai_network import MonaiNetwork
    from medseg.networks.placement import default_device, place_network
    from medseg.networks.provenance import (
        Provenance,
        StartedFrom,
        TrainingImages,
        read_provenance,
    )
    from medseg.networks.segnet import SegNet
    from medseg.networks.unet import UNet
    from medseg.networks.weights import (
        halve_weights,
        load_weights,
        save_weights,
        trained_network,
        trained_setting,
    )

__all__ = [
    "Compile",
    "Ensemble",
    "InstanceNorm",
    "MonaiNetwork",
    "Provenance",
    "SegNet",
    "StartedFrom",
    "TrainingImages",
    "UNet",
    "compile_network",
    "default_device",
    "halve_weights",
    "load_weights",
    "place_network",
    "read_provenance",
    "save_weights",
    "trained_network",
    "trained_setting",
]

__getattr__, __dir__ = attach(__name__)
