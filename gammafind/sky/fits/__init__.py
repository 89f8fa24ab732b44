"""Reading and writing FITS files: count maps, exposure maps and photon lists."""

from gammafind.sky.fits.background import read_background
from gammafind.sky.fits.binning import bin_events
from gammafind.sky.fits.counts import read_counts, read_energy_edges
from gammafind.sky.fits.events import EventList, PhotonLists, read_events
from gammafind.sky.fits.expected import write_expected
from gammafind.sky.fits.exposure import read_exposure
from gammafind.sky.fits.frames import Frame, read_frame, write_frame
from gammafind.sky.fits.good_times import read_good_times
from gammafind.sky.fits.layers import Layers, read_layers
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.selections import read_selections
from gammafind.sky.fits.write import write_counts, write_counts_by_nside
from gammafind.sky.fits.write_map import write_map

__all__ = [
    "EventList",
    "Frame",
    "Layers",
    "PhotonLists",
    "bin_events",
    "open_fits",
    "read_background",
    "read_counts",
    "read_energy_edges",
    "read_events",
    "read_exposure",
    "read_frame",
    "read_good_times",
    "read_layers",
    "read_selections",
    "write_counts",
    "write_counts_by_nside",
    "write_expected",
    "write_frame",
    "write_map",
]
