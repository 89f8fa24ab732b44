"""Bayesian association of detections with the sources of other catalogues."""
