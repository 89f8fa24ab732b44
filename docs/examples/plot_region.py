"""
A region and its sources
========================

The surroundings of M 87, searched with the likelihood.
"""

import astropy.units as u

import gammafind

sky = gammafind.demo_sky("M 87")
result = gammafind.detect(sky, localiser="likelihood", reference="4fgl-dr2", measure=False)
print(result)

# %%
# Each circle is a source, and is labelled with its name.
figure = result.plot_region(0, field=14 * u.deg)
