"""Quality of a catalogue: completeness, purity, offsets, calibration."""
