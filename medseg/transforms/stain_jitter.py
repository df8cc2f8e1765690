"""Stain jitter: randomly change haematoxylin and eosin amounts, as between laboratories.

Absorption by stains is additive in optical density, so a change of each stain's amount is
linear there: one matrix for all pixels, between a logarithm and an exponential. MONAI's
pathology transforms normalise stains and have no random change.

References:
    Ruifrok and Johnston, Quantification of histochemical staining by color deconvolution,
    Anal. Quant. Cytol. Histol. 2001 (the stains' colours).
    Tellez et al., Whole-slide mitosis detection in H&E breast histology using PHH3 as a
    reference, IEEE TMI 2018 (the jitter). https://doi.org/10.1109/TMI.2018.2820199
"""

from collections.abc import Sequence

import numpy as np
from monai.config.type_definitions import KeysCollection
from torch import Tensor

from medseg._checks import require_number
from medseg.transforms.colour import Floats, check_rgb, mix_channels
from medseg.transforms.intensity import RandIntensity

__all__ = ["RandStainJitterd", "change_stains"]

# Optical density in red, green and blue of haematoxylin, eosin, and DAB for the residual.
_COLOURS = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]])
_STAINS: Floats = _COLOURS / np.linalg.norm(_COLOURS, axis=1, keepdims=True)

# Half a grey level of 255: the darkest value that an 8-bit image distinguishes from black.
_BLACK = 0.5 / 255


def change_stains(image: Tensor, factors: Sequence[float], offsets: Sequence[float]) -> Tensor:
    """Scale and shift the amount of each stain in every pixel.

    Args:
        image: `(3, *spatial)` float32, RGB in [0, 1], where 1 is the light without tissue.
        factors: Three: haematoxylin, eosin, residual; 1 changes nothing.
        offsets: Three, in optical density (natural logarithm); 0 changes nothing. They tint
            bare glass too.

    Returns:
        `(3, *spatial)`, a new tensor in [0, 1].
    """
    # The rows of _STAINS are stains, but pixels are columns here, hence the transposed matrices.
    mix = _STAINS.T @ np.diag(np.asarray(factors, np.float64)) @ np.linalg.inv(_STAINS.T)
    added = _STAINS.T @ np.asarray(offsets, np.float64)
    log_light = image.clamp(_BLACK, 1).log_()
    return mix_channels(log_light, mix, -added).exp_().clamp_max_(1)


class RandStainJitterd(RandIntensity):
    """Randomly change the amounts of haematoxylin, eosin and the residual, independently.

    Args:
        keys: Images `(3, *spatial)`, RGB in [0, 1], 1 being the light without tissue.
        strength: In [0, 1). Factors are drawn uniformly from 1 - strength to 1 + strength, offsets
            of optical density from -strength to strength. The paper's light jitter is 0.05, its
            strong one 0.2.
        prob: Probability of changing a patch, in [0, 1].

    Raises:
        UsageError: If an argument is out of its range.
        DataError: If an image does not have three channels in [0, 1].
    """

    def __init__(self, keys: KeysCollection, strength: float = 0.05, prob: float = 0.5) -> None:
        super().__init__(keys, prob)
        require_number("RandStainJitterd: strength", strength, at_least=0, below=1)
        self.strength = strength

    def change(self, image: Tensor) -> Tensor:
        """Draw factor and offset of each stain, and apply them."""
        check_rgb(image)
        factors = self.R.uniform(1 - self.strength, 1 + self.strength, 3)
        offsets = self.R.uniform(-self.strength, self.strength, 3)
        return change_stains(image, factors.tolist(), offsets.tolist())
