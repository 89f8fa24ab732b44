"""
A map of the sensitivity
========================

The flux at which half of all sources are found with a TS of 25.
"""

import healpy as hp
import matplotlib.pyplot as plt

import gammafind

limit = gammafind.sensitivity(gammafind.demo_sky("M 87"), ts=25)
values = limit.values[0] * 1e10
values[~limit.valid[0]] = hp.UNSEEN
hp.gnomview(values, rot=(283.78, 74.49), reso=8, title="TS 25", unit="1e-10 cm-2 s-1")
plt.show()
