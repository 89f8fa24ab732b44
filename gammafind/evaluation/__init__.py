"""How well: completeness, purity, offsets."""
