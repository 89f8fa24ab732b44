"""Measured fluxes of the demo's sky, against those of the spectra of 4FGL-DR2.

``python benchmarks/demo_fluxes.py`` measures the point-like sources of 4FGL-DR2 at their places on
the real sky of 2-20 GeV (573 weeks; those of 4FGL-DR2 are ten years). All sources of the catalogue
are in the model. Those that cannot be separated from a neighbour are left out. Sources are chosen
by the TS that they have here or, so that faint ones that are bright by chance do not count, by the
TS that their flux in 4FGL-DR2 would give.
"""

from __future__ import annotations

import astropy.units as u
import numpy as np
from results import kept

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.pipeline.demo import DEMO_SKIES
from gammafind.pipeline.extended import with_extended
from gammafind.pipeline.measure import measure_on
from gammafind.pipeline.prepare import prepare
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset

LEAST_TS = 100.0
GEV = u.GeV
VARIABLE = 18.48
"""Variability index of 4FGL-DR2 from which a source varies, at 99 %."""


@kept("demo_fluxes")
def main() -> None:
    """Print the tables of docs/validation/measure.md."""
    sky = DEMO_SKIES["2-20GeV"]
    renderer = build(load_preset(sky.preset).renderer)
    given = prepare(sky.read(renderer), preset=sky.preset)
    observation, _ = with_extended(given.observation, given.renderer, None)
    sources = true_sources(load_4fgl_dr2())
    table = measure_on(observation, given.renderer, sources)
    true = spectra_of(sources).flux(2 * GEV, 20 * GEV).value
    flux, error = table["Flux"].value, table["Unc_Flux"].value
    ts = np.asarray(table["Signif_Avg"]) ** 2
    point = texts_of(sources, "extended_name") == ""
    latitude = np.abs(sources["glat"].value)
    kind = np.char.lower(np.asarray(sources["CLASS1"], dtype=str))
    pulsar = np.isin(np.char.strip(kind), ("psr", "msp"))
    steady = np.asarray(sources["Variability_Index"]) < VARIABLE
    point &= ~has_flag(table["Flags"], Flag.CONFUSED)
    chosen = {
        "measured": point & (ts > LEAST_TS),
        "of 4FGL-DR2": point & (ts * (true / flux) ** 2 > LEAST_TS),
    }
    everywhere = np.ones(len(ts), dtype=bool)
    rows = {
        "all": everywhere,
        "pulsars": pulsar,
        "others": ~pulsar,
        "steady": steady,
        "abs(b) > 20": latitude > 20,
        "abs(b) < 10": latitude < 10,
        "abs(b) < 10, steady": (latitude < 10) & steady,
        "abs(b) < 10, variable": (latitude < 10) & ~steady,
    }
    print("| TS above 100 | sources | number | median flux / 4FGL-DR2 | ratio of sums "
          "| mean pull | width |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for label, first in chosen.items():
        for name, second in rows.items():
            here = first & second
            pull = ((flux - true) / error)[here]
            cells = [
                f"{np.median((flux / true)[here]):.3f}",
                f"{flux[here].sum() / true[here].sum():.3f}",
                f"{pull.mean():.2f}",
                f"{pull.std():.2f}",
            ]
            print(f"| {label} | {name} | {here.sum()} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
