"""Logits and labels for the tests of losses."""

import torch


def example(spatial, seed, *, batch=2, count=3, dtype=torch.float64):
    """Logits of `count` classes and an index label."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(batch, count, *spatial, generator=generator, dtype=dtype)
    return logits, torch.randint(0, count, (batch, 1, *spatial), generator=generator)


def overlapping(spatial, seed, *, batch=2, count=3, dtype=torch.float64):
    """Logits and target of `count` structures, each voxel in any number of them."""
    logits, _ = example(spatial, seed, batch=batch, count=count, dtype=dtype)
    generator = torch.Generator().manual_seed(seed + 1)
    return logits, torch.randint(0, 2, logits.shape, generator=generator)


def certain(label, count):
    """Logits whose softmax is 0 or 1 to the last bit of float32."""
    return 200 * torch.nn.functional.one_hot(label[:, 0], count).movedim(-1, 1).float()


def odds(probabilities):
    """Logits of two classes whose softmax gives class 1 these probabilities; any shape."""
    p = torch.as_tensor(probabilities, dtype=torch.float64)
    return torch.stack([(1 - p).log(), p.log()]).unsqueeze(0)
