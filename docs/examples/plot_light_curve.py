"""
A light curve
=============

Vela in four days of simulated photons, in parts of two days.
"""

import tempfile
from pathlib import Path

import astropy.units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

import gammafind

PRESET = "fermi-lat-psf3-2-20"
centre = SkyCoord(128.84, -45.18, unit="deg")

with tempfile.TemporaryDirectory() as folder:
    done = gammafind.simulate(
        PRESET, output=folder, sources="4fgl-dr2", photons=True, duration="4 d"
    )
    made, mine = done.folders[0], Path(folder) / "vela.fits"
    with fits.open(made / "ft1.fits") as photons:
        events = photons["EVENTS"]
        places = SkyCoord(events.data["RA"], events.data["DEC"], unit="deg")
        events.data = events.data[places.separation(centre) < 8 * u.deg]
        events.header["DSVAL3"] = "CIRCLE(128.84,-45.18,8)"
        photons.writeto(mine)
    result = gammafind.detect(
        mine,
        preset=PRESET,
        localiser="likelihood",
        spacecraft=made / "ft2.fits",
        epochs="2d",
        measure=False,
    )

figure = result.plot_light_curve(0)
