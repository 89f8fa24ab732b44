"""Simulated photon lists: the orbit and the pointing of the LAT, photons, FT1 and FT2 files."""
