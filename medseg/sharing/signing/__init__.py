"""Keys, signatures and the verification of a bundle's files."""
