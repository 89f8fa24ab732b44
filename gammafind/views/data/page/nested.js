// Maps of a sky in the NESTED order of HEALPix, and their coarser versions.

/** Value of a coarser pixel, from the sum, the number and the highest of its ``parts``. */
const MERGED = {
  sum: (sum, seen, highest, parts) => (sum / seen) * parts,
  mean: (sum, seen) => sum / seen,
  max: (sum, seen, highest) => highest,
};

/** A map; words of 16 bits stay words, since a fine one has millions of pixels. */
class NestedMap {
  constructor(nside, values, { offset = 0, step = 1, merge = "sum" } = {}) {
    Object.assign(this, { nside, values, offset, step, merge });
    this.words = values instanceof Uint16Array;
    this.levels = new Map();
  }

  at(i) {
    const value = this.values[i];
    if (!this.words) return value;
    return value === UNSEEN ? NaN : this.offset + this.step * value;
  }

  /** The map with a smaller nside. Pixels without data are left out; NaN where all are. */
  level(nside) {
    if (nside === this.nside) return this;
    if (!this.levels.has(nside)) {
      const finer = this.level(2 * nside);
      const values = new Float32Array(12 * nside * nside);
      const merged = MERGED[this.merge];
      for (let i = 0; i < values.length; i += 1) {
        let sum = 0;
        let seen = 0;
        let highest = -Infinity;
        for (let k = 4 * i; k < 4 * i + 4; k += 1) {
          const value = finer.at(k);
          if (value === value) {
            sum += value;
            seen += 1;
            if (value > highest) highest = value;
          }
        }
        values[i] = seen ? merged(sum, seen, highest, 4) : NaN;
      }
      this.levels.set(nside, new NestedMap(nside, values, { merge: this.merge }));
    }
    return this.levels.get(nside);
  }

  /** Add the values of some pixels of a map of ``nside``, from ``start`` on, to ``out``. */
  addTo(out, nside, start) {
    const map = nside < this.nside ? this.level(nside) : this;
    const shift = 2 * Math.log2(nside / map.nside);
    const share = this.merge === "sum" ? 1 / 2 ** shift : 1;
    for (let i = 0; i < out.length; i += 1) out[i] += share * map.at((start + i) >> shift);
  }
}
