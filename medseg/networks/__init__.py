"""Networks: one U-Net for 2-D and 3-D."""

from medseg.networks.unet import UNet

__all__ = ["UNet"]
