"""
Completeness
============

The share of injected sources that the likelihood finds again, against their flux.
"""

import matplotlib.pyplot as plt
import numpy as np

import gammafind

sky = gammafind.demo_sky("M 87")
done = gammafind.inject(sky, localiser="likelihood", rounds=5, seed=1)
flux = done.sources["flux"].to_value("cm-2 s-1")
edges = np.geomspace(flux.min(), flux.max() * 1.001, 6)
found, _ = np.histogram(flux[np.asarray(done.sources["found"], dtype=bool)], edges)
number, _ = np.histogram(flux, edges)

figure, axes = plt.subplots()
axes.stairs(found / np.maximum(number, 1), edges)
axes.set(xscale="log", xlabel="Flux 2-20 GeV [cm-2 s-1]", ylabel="Completeness", ylim=(0, 1.05))
axes.xaxis.set_minor_formatter("")
plt.show()
