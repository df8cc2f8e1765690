"""What machine the GPU check ran on."""

import platform
import subprocess
from pathlib import Path

import torch

from benchmarks._timing import cpu_model, versions

__all__ = ["machine"]

PACKAGES = ["numpy", "monai", "pytorch-ignite", "triton"]


def machine() -> dict[str, str]:
    """Names of devices and versions; `device` is `cuda` or `cpu`."""
    found = torch.cuda.is_available()
    return {
        "device": "cuda" if found else "cpu",
        "GPU": _gpu() if found else "none: short form on the CPU",
        "CPU": cpu_model(),
        "driver": _driver() if found else "none",
        "torch": f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN {_cudnn()}",
        "packages": f"Python {platform.python_version()}, {versions(PACKAGES)}",
    }


def _gpu() -> str:
    facts = torch.cuda.get_device_properties(0)
    gib = facts.total_memory / 2**30
    return f"{facts.name}, {gib:.0f} GiB, compute capability {facts.major}.{facts.minor}"


def _cudnn() -> str:
    return str(torch.backends.cudnn.version()) if torch.cuda.is_available() else "none"


def _driver() -> str:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        pass
    try:
        return Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").splitlines()[0]
    except (OSError, IndexError):
        return "unknown: neither nvidia-smi nor /proc/driver/nvidia/version tells"
