"""Files of a bundle, judged by name and content."""
