"""Layout of a packed bundle: the names that pack writes, and verify, test and install read.

A packed bundle is one zip, `NAME-VERSION.zip`, with one folder `NAME/` in it, as MONAI's bundles
are:

    NAME/LICENSE                     licence of configs and weights
    NAME/configs/*.yaml, *.json      configs with their JSON twins, metadata.json, the manifest
    NAME/docs/README.md              model card
    NAME/docs/data_license.txt       licence of the data that the weights were trained on
    NAME/models/model.safetensors    weights
    NAME/models/model.pt             the same tensors for `monai.bundle.load`; medseg never reads it
    NAME/models/fold_0.safetensors   and so on, instead of these two: weights of an ensemble
    NAME/golden/case.json            golden case: image, expected label, digest, tolerance
    NAME/requirements.txt            packages with the versions that it was packed with
    NAME/digests.json                size and SHA-256 of every file but itself and the signature
    NAME/model.sig                   signature in the OpenSSF model-signing form, if signed
"""

__all__ = ["CASE", "DIGESTS", "GOLDEN", "REQUIREMENTS", "SIGNATURE", "UNLISTED"]

DIGESTS = "digests.json"
SIGNATURE = "model.sig"
GOLDEN = "golden"
CASE = f"{GOLDEN}/case.json"
REQUIREMENTS = "requirements.txt"
# Files that the list of digests does not hold.
UNLISTED = frozenset({DIGESTS, SIGNATURE})
