"""Keys near to a misspelt one: the field's other names for it, and those of few other letters."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from medseg.bundles.keys import bundle_keys

__all__ = ["how_to_list", "near_keys"]

# What other programs call a key, without underscores.
_OTHER_NAMES = {
    "learning_rate": ("lr", "initiallr", "baselr", "eta"),
    "batch_size": ("bs", "batch", "batches"),
    "weight_decay": ("wd", "l2", "decay"),
    "epochs": ("maxepochs", "maxepoch", "nepochs", "numepochs", "numberofepochs"),
    "iterations_per_epoch": ("iterations", "iters", "steps", "stepsperepoch", "epochlength"),
    "patch_size": ("roisize", "roi", "patch", "cropsize", "imagesize", "inputsize"),
    "spacing_mm": ("spacing", "pixdim", "voxelsize", "voxelspacing", "resolution"),
    "num_workers": ("workers", "nworkers", "numproc"),
    "device": ("gpu", "gpus", "cuda", "cpu"),
    "precision": ("amp", "mixedprecision", "fp16", "bf16"),
    "class_names": ("classes", "labels", "labelnames", "names"),
    "dataset_dir": ("data", "datadir", "dataroot", "dataset", "root"),
    "output_dir": ("out", "output", "outdir", "outputfolder", "o"),
    "ckpt_dir": ("checkpoint", "ckpt", "weights", "modeldir"),
    "start": ("resume", "continue"),
    "schedule": ("scheduler", "lrscheduler", "lrschedule"),
    "early_stop_patience": ("patience", "earlystopping", "earlystop"),
    "val_interval": ("validationinterval", "valevery", "evalinterval"),
    "max_minutes": ("maxtime", "timelimit"),
    "first_width": ("width", "features", "filters", "basefeatures", "channels"),
    "clip_gradients": ("gradclip", "clipnorm", "gradclipping", "gradientclipping"),
    "accumulation_steps": ("accumulation", "gradientaccumulation"),
    "loss": ("lossfunction", "criterion"),
    "optimizer": ("optimiser", "optim", "opt"),
    "network_def": ("model", "net", "unet", "architecture"),
    "window": ("hu", "hurange", "clip", "intensityrange"),
    "overlap": ("stepsize", "swoverlap"),
    "seed": ("randomseed", "rng"),
    "fold": ("folds", "valfold"),
}  # fmt: skip


def near_keys(key: str, config: Mapping[str, Any], *, most: int = 3) -> list[str]:
    """Keys of a config that may be meant by another one, the likeliest first.

    Args:
        key: As the user wrote it.
        config: As `read_config` returns it.
        most: Number of keys.

    Returns:
        As in `KEY=VALUE`, the last part alone where it is enough.
    """
    paths = [listed.path for listed in bundle_keys(config, [])]
    plain = _plain(key)
    by_name: dict[str, str] = {}
    for path in [*config, *paths]:
        by_name.setdefault(_plain(path), path)
        if "#" not in plain:
            by_name.setdefault(_plain(path.rpartition("#")[2]), path)
    meant = [_plain(name) for name, others in _OTHER_NAMES.items() if plain in others]
    names = [name for name in (plain, *meant) if name in by_name]
    names = names or difflib.get_close_matches(plain, by_name, n=most, cutoff=0.76)
    found = dict.fromkeys(by_name[name] for name in names)
    return [path if "#" in plain else _short(path, paths) for path in found][:most]


def how_to_list(config: Mapping[str, Any]) -> str:
    """How the keys of a config are listed: the keys themselves where they are few."""
    names = sorted(name for name in config if not name.startswith("_"))
    if len(names) <= 12:
        return f"keys: {', '.join(names)}"
    which = "" if "epochs" in config else " --config inference"
    return f"medseg train BUNDLE{which} --keys lists all"


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace("::", "#").casefold()


def _short(path: str, paths: Iterable[str]) -> str:
    name = path.rpartition("#")[2]
    return name if sum(other.rpartition("#")[2] == name for other in paths) == 1 else path
