// Layers of a sky in HEALPix pixels. A fine map has millions of pixels, and a screen shows few of
// them: colours are made of blocks of pixels that are next to each other, when one is first seen.

const MODEL_NSIDE = 256;
/** Rays to each radius, and to one that is much smaller than a pixel. */
const [RAYS, FEW_RAYS] = [12, 3];
const BLOCK = 4096;
const [SAMPLES, RUN] = [1250, 16];

class SphereLayers extends Layers {
  constructor(frame, bands, maps, sources) {
    super(bands, maps);
    this.frame = frame;
    this.sources = sources;
  }

  /** Resolution at which a layer is drawn where a pixel of the screen has a size in radians. */
  nside(name, band, size) {
    const wanted = 2 ** Math.round(Math.log2(1.023 / size));
    return Math.max(8, Math.min(this.finest(name, band), wanted));
  }

  finest(name, band) {
    if (name in this.maps) return this.maps[name].nside;
    const finest = Math.max(...this.chosen(band).map((one) => one.counts.nside));
    return name === "counts" ? finest : Math.min(finest, MODEL_NSIDE);
  }

  colours({ name, band }, size) {
    const nside = this.nside(name, band, size);
    return this.once(`colours ${name} ${band} ${nside}`, () => {
      const all = 12 * nside * nside;
      const scale = this.scale(name, this.sample(name === "model" ? "counts" : name, band, nside));
      const colours = new Uint8Array(all);
      const done = new Uint8Array(Math.ceil(all / BLOCK));
      const fill = (block) => {
        const start = block * BLOCK;
        const values = this.values(name, band, nside, start, Math.min(BLOCK, all - start));
        colours.set(coloured(values, scale), start);
        done[block] = 1;
      };
      return { nside, colours, done, fill, table: this.table(name) };
    });
  }

  /** Values of pixels that are spread over the sky. */
  sample(name, band, nside) {
    const all = 12 * nside * nside;
    const n = Math.min(SAMPLES, all / RUN);
    const values = new Float32Array(n * RUN);
    for (let i = 0; i < n; i += 1) {
      const start = Math.floor(((i + 0.5) / n) * (all / RUN)) * RUN;
      values.set(this.values(name, band, nside, start, RUN), i * RUN);
    }
    return values;
  }

  /** Values of a layer in ``n`` pixels from ``start`` on. */
  values(name, band, nside, start, n) {
    const sum = (maps) => {
      const out = new Float32Array(n);
      maps.forEach((map) => map.addTo(out, nside, start));
      return out;
    };
    if (name in this.maps) return sum([this.maps[name]]);
    const counts = () => sum(this.chosen(band).map((one) => one.counts));
    if (name === "counts") return counts();
    const model = sum(this.chosen(band).map((one) => this.model(one)));
    if (name === "model") return model;
    return name === "residual" ? counts().map((value, i) => value - model[i]) : significances(counts(), model);
  }

  /** Value of a layer at a direction, as it is drawn, and the side of its pixel in degrees. */
  valueAt({ name, band }, size, v) {
    const nside = this.nside(name, band, size);
    const pixel = nestedPixel(nside, ...(this.frame === "galactic" ? v : icrsOf(v)));
    return { value: this.values(name, band, nside, pixel, 1)[0], side: 1.0233 / nside / DEGREE };
  }

  model(band) {
    return this.once(`model ${this.bands.indexOf(band)}`, () => {
      const nside = Math.min(band.counts.nside, MODEL_NSIDE);
      const values = new Float32Array(12 * nside * nside);
      band.background.addTo(values, nside, 0);
      this.deposit(band, nside, values);
      return new NestedMap(nside, values);
    });
  }

  /** Add the sources: rays around each end where PSF and source contain equal shares. */
  deposit(band, nside, values) {
    const counts = this.sources.counts?.[this.bands.indexOf(band)];
    if (!counts) return;
    const point = this.ends(nside, band.psf);
    const turn = this.frame === "galactic" ? (v) => v : icrsOf;
    counts.forEach((number, row) => {
      if (!(number > 0)) return;
      const { out, east, north } = axesAt(...degreesOf(this.sources.targets[row]));
      const [a, b, c] = [out, east, north].map(turn);
      const extent = this.sources.extent[row];
      const ends = extent > 0 ? this.ends(nside, band.psf, extent / Math.sqrt(0.68)) : point;
      for (const [p, q, r, share] of ends) {
        const pixel = nestedPixel(
          nside, p * a[0] + q * b[0] + r * c[0], p * a[1] + q * b[1] + r * c[1], p * a[2] + q * b[2] + r * c[2]);
        values[pixel] += number * share;
      }
    });
  }

  /** Ends of the rays along the axes of a source (outwards, east, north), and their shares. */
  ends(nside, psf, disc = 0) {
    return psf.flatMap((radius, ring) => {
      const reach = Math.hypot(radius, disc * Math.sqrt((ring + 0.5) / psf.length)) * DEGREE;
      const n = reach < 0.3 / nside ? FEW_RAYS : RAYS;
      return Array.from({ length: n }, (_, ray) => {
        const angle = ((ray + (ring % 2) / 2) * 2 * Math.PI) / n;
        return [Math.cos(reach), Math.sin(reach) * Math.cos(angle), Math.sin(reach) * Math.sin(angle), 1 / (psf.length * n)];
      });
    });
  }
}
