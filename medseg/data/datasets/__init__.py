"""Data sets: pair, check and describe images and labels."""
