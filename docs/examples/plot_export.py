"""
Files for other programs
========================

A catalogue as DS9 regions, which are read again and drawn on the sky.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
from regions import Regions

import gammafind

sky = gammafind.demo_sky("M 87")
result = gammafind.detect(sky, localiser="likelihood", measure=False)
with tempfile.TemporaryDirectory() as folder:
    files = result.write(Path(folder) / "found")
    print([path.name for path in files])
    circles = Regions.read(Path(folder) / "found" / "catalogue.reg", format="ds9")

figure, axes = plt.subplots()
for circle in circles:
    centre = circle.center.icrs
    axes.plot(
        centre.ra.deg, centre.dec.deg, "o", mfc="none", ms=100 * circle.radius.to_value("deg")
    )
axes.set(xlabel="RA [deg]", ylabel="Dec [deg]", title="catalogue.reg")
axes.margins(0.2)
axes.invert_xaxis()
plt.show()
