"""Write a predicted label as NIfTI in the grid of its image.

MONAI's `SaveImaged` writes under the final name from the first byte on, over whatever
is there, and leaves sform and qform codes to chance. A label that a person will use
is complete or absent, and says the same in both of its affines.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, cast

import nibabel
import numpy as np
from monai.config.type_definitions import KeysCollection
from monai.data.meta_tensor import MetaTensor
from monai.transforms.transform import MapTransform

from medseg._files import write_atomically
from medseg.data.naming import label_path
from medseg.errors import UsageError

__all__ = ["SaveLabeld"]

# nibabel's code for "coordinates aligned to another file's": the image's.
_ALIGNED = 2


class SaveLabeld(MapTransform):
    """Save an index map `(1, I, J, K)` as `<case>_seg.nii.gz`, integer, with its affine.

    Args:
        keys: Which entries to save; each a `MetaTensor` in the image's own grid.
        output_dir: Where to.
        overwrite: `refuse` an existing file or `replace` it.
    """

    def __init__(self, keys: KeysCollection, *, output_dir: str, overwrite: str = "refuse") -> None:
        super().__init__(keys)
        if overwrite not in ("refuse", "replace"):
            raise ValueError(f"overwrite must be 'refuse' or 'replace', got {overwrite!r}")
        self.output_dir = Path(output_dir)
        self.overwrite = overwrite

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Save, and return `data` as it came.

        Raises:
            UsageError: If the file is there already and is not to be replaced.
        """
        for key in self.keys:
            label: MetaTensor = data[key]
            path = label_path(self.output_dir, _source(label))
            if path.exists() and self.overwrite == "refuse":
                raise UsageError(f"{path} is there already; set overwrite to 'replace' or move it")
            write_atomically(path, _to_nifti(label).to_filename)
        return dict(data)


def _source(label: MetaTensor) -> str:
    return str(cast("Any", label).meta["filename_or_obj"])


def _to_nifti(label: MetaTensor) -> Any:
    values = label.as_tensor().cpu().numpy()[0]
    kind = np.uint8 if values.max(initial=0) < 256 else np.uint16
    affine = np.asarray(label.affine, dtype=np.float64)
    nifti = cast("Any", nibabel).Nifti1Image(values.astype(kind), affine)
    nifti.set_sform(affine, code=_ALIGNED)
    nifti.set_qform(affine, code=_ALIGNED)
    return nifti
