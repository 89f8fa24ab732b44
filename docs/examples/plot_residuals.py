"""
Maps of residuals
=================

What background and sources leave of the counts, in standard deviations.
"""

import healpy as hp
import matplotlib.pyplot as plt

import gammafind

sky = gammafind.demo_sky("M 87")
result = gammafind.detect(sky, localiser="likelihood", residuals=True, measure=False)
residual = result.residuals.residual
values = residual.values[0].copy()
values[~residual.valid[0]] = hp.UNSEEN
hp.gnomview(
    values,
    rot=(283.78, 74.49),
    reso=6,
    min=-4,
    max=4,
    cmap="RdBu_r",
    title="Residuals",
    unit="sigma",
)
plt.show()
