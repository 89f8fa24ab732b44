"""Clusterers: from a score map to one peak a source."""
