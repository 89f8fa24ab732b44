"""Synthetic catalogues in the likeness of 4FGL: fits to the catalogue, and draws from them."""
