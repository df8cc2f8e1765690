"""Inference: from a volume to a label in its grid."""
