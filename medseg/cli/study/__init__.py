"""`medseg study`: what each choice is worth."""
