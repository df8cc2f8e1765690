"""What a bundle is, in words: inspection, model card, Croissant."""
