// What can be drawn: counts, the model, and how they differ. Made when it is first drawn.

const TABLES = { counts: colourTable(HEAT), model: colourTable(HEAT), score: colourTable(HEAT), other: colourTable(SIGNED) };
const LIMITS = { significance: 5, residual_map: 5, ps: 6 };

/** Counts less model, in standard deviations of the Poisson distribution. */
function significances(counts, model) {
  return counts.map((n, i) => {
    const m = Math.max(model[i], 1e-9);
    const deviance = 2 * ((n > 0 ? n * Math.log(n / m) : 0) + m - n);
    return Math.sign(n - m) * Math.sqrt(Math.max(0, deviance));
  });
}

class Layers {
  constructor(bands, maps) {
    this.bands = bands;
    this.maps = maps;
    this.made = new Map();
  }

  get names() {
    const modelled = this.bands.every((band) => band.background);
    return ["counts", ...(modelled ? ["model", "residual", "significance"] : []), ...Object.keys(this.maps)];
  }

  once(key, make) {
    if (!this.made.has(key)) this.made.set(key, make());
    return this.made.get(key);
  }

  chosen(band) {
    return band < 0 ? this.bands : [this.bands[band]];
  }

  /** From values to indices of colours; ``sample`` are some of those that the scale is made for. */
  scale(name, sample) {
    if (name === "score" && sample.every((value) => !(value > 1))) return (probability) => probability;
    if (TABLES[name]) return stretch(sample);
    return between(LIMITS[name] ?? Math.max(1e-9, quantiles(sample.map(Math.abs), [0.999])[0]));
  }

  table(name) {
    return TABLES[name] ?? TABLES.other;
  }

  /** Whether most of a layer is light, so that lines on it must be dark. */
  isLight(name) {
    return !(name in TABLES);
  }
}
