"""
A spectrum
==========

Mrk 421 above 10 GeV in three bands, with the fitted curve.
"""

import astropy.units as u

import gammafind

sky = gammafind.demo_sky("Mrk 421", sky="10-2000GeV", radius=1.5 * u.deg)
result = gammafind.detect(sky, reference="3fhl")
figure = result.plot_sed(0)
