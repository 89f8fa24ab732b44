"""Synthetic catalogues that resemble 4FGL: fits to the catalogue, and draws from them."""
