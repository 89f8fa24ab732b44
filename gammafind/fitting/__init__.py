"""Measurements on counts and images: test statistic, flux, position error."""
