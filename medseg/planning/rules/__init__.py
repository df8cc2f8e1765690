"""Rules: from the facts of a data set to the numbers of a bundle, each with its reason."""
