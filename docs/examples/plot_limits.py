"""
Upper limits
============

The flux at places where nothing was found is limited at 95 %.
"""

import matplotlib.pyplot as plt
import numpy as np
from astropy.coordinates import SkyCoord

import gammafind

sky = gammafind.demo_sky("M 87")
places = SkyCoord([184.0, 186.0, 187.7, 190.0], [10.0, 14.0, 12.39, 15.0], unit="deg")
probed = gammafind.probe(sky, places)
flux, limit = (probed[name].to_value("cm-2 s-1") for name in ("flux", "flux_limit"))
at = np.arange(len(probed))

figure, axes = plt.subplots(figsize=(8, 4))
axes.errorbar(at, flux, probed["flux_err"].to_value("cm-2 s-1"), fmt="o", label="Flux")
axes.plot(at, limit, "v", label="95 % limit")
axes.set_xticks(at, list(probed["name"]))
axes.set_ylabel("Flux 2-20 GeV [cm-2 s-1]")
axes.legend()
plt.show()
