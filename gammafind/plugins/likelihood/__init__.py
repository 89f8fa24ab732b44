"""The classical localiser: a Poisson likelihood-ratio map."""
