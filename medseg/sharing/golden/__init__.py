"""Golden case of a packed bundle: made when it is packed, labelled again where it arrives."""
