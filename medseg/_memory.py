"""Peak memory of this process, or of its GPU if it used one."""

import sys

__all__ = ["peak_memory_bytes"]


def peak_memory_bytes() -> int:
    """Most memory so far, in bytes: reserved on the GPU, or resident; 0 where it is not known."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_reserved())
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
