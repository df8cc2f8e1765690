"""Stamp weights that are older than their provenance: write it into their header.

    python -m benchmarks.stamp_weights BUNDLE DATASET_DIR --fold 0 --version 0.2.0 [--manifest FILE]

DATASET_DIR and the fold are those of the training, as the bundle's card tells them; the version is
that of the bundle which trained. What is written is what a training of today writes, by the same
code: the data set, and the fingerprint of the training's images. No tensor changes: the digest of
the tensors is printed as it was and as it is. The `.safetensors` is replaced, nothing else.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from medseg._files import write_atomically
from medseg.bundles.provenance import training_provenance
from medseg.data import datalist, find_manifest, load_manifest, require_usable
from medseg.networks.provenance import KEY, provenance_json
from medseg.networks.weights_file import DIGEST, read_weights_file, signed_weights


def main() -> None:
    """Stamp one file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("dataset_dir", type=Path)
    parser.add_argument("--manifest", type=Path, help="default: the one in the data set's folder")
    parser.add_argument("--fold", type=int, required=True, help="the fold that was held out")
    parser.add_argument("--version", required=True, help="of the bundle that trained")
    options = parser.parse_args()
    path = options.bundle / "models" / "model.safetensors"
    manifest = load_manifest(options.manifest or find_manifest(options.dataset_dir, "none"))
    cases = datalist(manifest, options.dataset_dir, split="training", fold=options.fold)
    seen = require_usable(cases, manifest, manifest.class_names)
    trained = training_provenance(options.bundle, manifest, seen)
    header, content = read_weights_file(path)
    texts = {name: text for name, text in header.texts.items() if name != DIGEST}
    texts[KEY] = json.dumps(provenance_json(replace(trained, version=options.version)))
    signed = signed_weights(content, texts)
    write_atomically(path, lambda temporary: temporary.write_bytes(signed))
    after, _ = read_weights_file(path)
    print(f"{path}: {len(cases)} images of {manifest.name}")
    print(f"tensors before {header.texts[DIGEST]}\ntensors after  {after.texts[DIGEST]}")


if __name__ == "__main__":
    main()
