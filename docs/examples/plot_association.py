"""
Counterparts
============

The sources around M 87, and the counterparts that 4FGL-DR2 has for them.
"""

import matplotlib.pyplot as plt
import numpy as np

import gammafind

sky = gammafind.demo_sky("M 87")
found = gammafind.detect(sky, localiser="likelihood", measure=False)
catalogue = gammafind.associate(found, "4fgl-dr2").catalogue

figure, axes = plt.subplots(figsize=(7, 3))
at = np.arange(len(catalogue))
axes.barh(at, np.asarray(catalogue["ASSOC_PROB_BAY"], dtype=float))
names = zip(catalogue["Source_Name"], catalogue["ASSOC1"], strict=True)
axes.set_yticks(at, [f"{name}\n{match or 'none'}" for name, match in names])
axes.set_xlabel("Probability of the counterpart")
figure.tight_layout()
plt.show()
