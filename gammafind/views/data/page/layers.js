// What can be drawn: counts, the model, and how they differ. Made when it is first drawn.

const TABLES = { counts: colourTable(HEAT), model: colourTable(HEAT), other: colourTable(SIGNED) };
const LIMITS = { significance: 5, residual_map: 5, ps: 6 };
const MODEL_NSIDE = 256;
const RAYS = 12;

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

  /** Indices of colours; the model has those of the counts on the same pixels. */
  painted(name, values, counts) {
    if (name === "counts" || name === "model") return stretched(values, counts);
    const limit = LIMITS[name] ?? Math.max(1e-9, quantiles(values.map(Math.abs), [0.999])[0]);
    return centred(values, limit);
  }

  table(name) {
    return TABLES[name] ?? TABLES.other;
  }
}

/** Layers of a sky in HEALPix pixels; ``bands`` hold their maps, the first level the finest. */
class SphereLayers extends Layers {
  constructor(frame, bands, maps, sources) {
    super(bands, maps);
    this.frame = frame;
    this.sources = sources;
  }

  finest(name, band) {
    if (name in this.maps) return this.maps[name].nside;
    const chosen = band < 0 ? this.bands : [this.bands[band]];
    const finest = Math.max(...chosen.map((one) => one.nside));
    return name === "counts" ? finest : Math.min(finest, MODEL_NSIDE);
  }

  colours({ name, band }, size) {
    const wanted = 2 ** Math.round(Math.log2(1.023 / size));
    const nside = Math.max(8, Math.min(this.finest(name, band), wanted));
    const key = `${name} ${band} ${nside}`;
    const colours = this.once(`colours ${key}`, () => this.painted(
      name, this.values(name, band, nside), name === "model" ? this.values("counts", band, nside) : undefined));
    return { nside, colours, table: this.table(name) };
  }

  values(name, band, nside) {
    if (name in this.maps) return this.level(`map ${name}`, this.maps[name], nside, true);
    if (band < 0) {
      const all = this.bands.map((_, i) => this.values(name === "significance" ? "counts" : name, i, nside));
      const total = all.reduce((sum, one) => sum.map((value, i) => value + one[i]));
      if (name !== "significance") return total;
      return significances(total, this.values("model", -1, nside));
    }
    const one = this.bands[band];
    if (name === "counts") return this.level(`counts ${band}`, one, nside);
    if (name === "model") return this.model(band, nside);
    const [counts, model] = [this.values("counts", band, nside), this.model(band, nside)];
    if (name === "residual") return counts.map((value, i) => value - model[i]);
    return significances(counts, model);
  }

  /** A map at another resolution: sums, equal parts, or means of what is no sum. */
  level(key, map, nside, mean = false) {
    if (nside === map.nside) return map.values;
    return this.once(`${key} ${nside}`, () => {
      if (nside < map.nside) {
        const sums = degraded(this.level(key, map, 2 * nside, mean));
        return mean ? sums.map((value) => value / 4) : sums;
      }
      const parts = (nside / map.nside) ** 2;
      const whole = new Float32Array(12 * nside * nside);
      const shift = Math.log2(parts);
      for (let i = 0; i < whole.length; i += 1) whole[i] = map.values[i >> shift] / (mean ? 1 : parts);
      return whole;
    });
  }

  model(band, nside) {
    const { background } = this.bands[band];
    const finest = Math.min(this.bands[band].nside, MODEL_NSIDE);
    const whole = this.once(`model ${band}`, () => {
      const values = this.level(`background ${band}`, background, finest).slice();
      this.deposit(band, finest, values);
      return { nside: finest, values };
    });
    return this.level(`model ${band}`, whole, nside);
  }

  /** Add the sources: rays around each end where the PSF contains equal shares. */
  deposit(band, nside, values) {
    const counts = this.sources.counts?.[band];
    if (!counts) return;
    const radii = this.bands[band].psf;
    const turn = this.frame === "galactic" ? (v) => v : icrsOf;
    counts.forEach((number, row) => {
      if (!(number > 0)) return;
      const [lon, lat] = degreesOf(this.sources.targets[row]);
      const { out, east, north } = axesAt(lon, lat);
      const share = number / (radii.length * RAYS);
      radii.forEach((radius, ring) => {
        const [cos, sin] = [Math.cos(radius * DEGREE), Math.sin(radius * DEGREE)];
        for (let ray = 0; ray < RAYS; ray += 1) {
          const angle = ((ray + (ring % 2) / 2) * 2 * Math.PI) / RAYS;
          const [e, n] = [sin * Math.cos(angle), sin * Math.sin(angle)];
          const v = turn([0, 1, 2].map((k) => cos * out[k] + e * east[k] + n * north[k]));
          values[nestedPixel(nside, v[0], v[1], v[2])] += share;
        }
      });
    });
  }
}

/** Layers of an image. */
class PlaneLayers extends Layers {
  constructor(bands, maps, pixelSize) {
    super(bands, maps);
    this.pixelSize = pixelSize;
    [this.width, this.height] = [bands[0].width, bands[0].height];
  }

  colours({ name, band }, size) {
    const levels = Math.max(0, Math.floor(Math.log2(size)));
    const key = `colours ${name} ${band} ${levels}`;
    const image = this.image(name, band, levels);
    const colours = this.once(key, () => this.painted(
      name, image.values, name === "model" ? this.image("counts", band, levels).values : undefined));
    return { ...image, coarser: 2 ** levels * (this.width / this.image(name, band, 0).width), colours, table: this.table(name) };
  }

  /** An image of a layer, made coarser by two a number of times. */
  image(name, band, levels) {
    return this.once(`${name} ${band} ${levels}`, () => {
      if (levels) return halved(this.image(name, band, levels - 1), name in this.maps || name === "significance");
      if (name in this.maps) return this.maps[name];
      const chosen = band < 0 ? this.bands : [this.bands[band]];
      const sum = (key) => chosen.map((one) => one[key].values ?? one[key])
        .reduce((total, one) => total.map((value, i) => value + one[i]));
      const { width, height } = chosen[0];
      if (name === "counts") return { width, height, values: sum("values") };
      const model = sum("background");
      if (name === "model") return { width, height, values: model };
      const counts = sum("values");
      const values = name === "residual" ? counts.map((n, i) => n - model[i]) : significances(counts, model);
      return { width, height, values };
    });
  }
}

function halved({ width, height, values }, mean) {
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const sums = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      let seen = 0;
      for (let y = 2 * row; y < Math.min(height, 2 * row + 2); y += 1) {
        for (let x = 2 * column; x < Math.min(width, 2 * column + 2); x += 1) {
          const value = values[y * width + x];
          if (!Number.isNaN(value)) {
            sum += value;
            seen += 1;
          }
        }
      }
      sums[row * columns + column] = seen ? (sum / seen) * (mean ? 1 : 4) : NaN;
    }
  }
  return { width: columns, height: rows, values: sums };
}
