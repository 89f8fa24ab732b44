"""
The whole sky
=============

The counts of the demo, and the fifty brightest sources of 4FGL-DR2.
"""

import healpy as hp
import matplotlib.pyplot as plt
import numpy as np

import gammafind

sky = gammafind.demo_sky()
known = gammafind.read_catalogue("4fgl-dr2")
brightest = known[np.argsort(-np.asarray(known["Flux1000"]))[:50]]

hp.mollview(np.log10(sky.values[0] + 1), title="2-20 GeV", unit="log10(counts + 1)", cmap="inferno")
hp.projscatter(
    np.asarray(brightest["GLON"]),
    np.asarray(brightest["GLAT"]),
    lonlat=True,
    facecolors="none",
    edgecolors="cyan",
)
plt.show()
