// The whole sky on the screen: Hammer-Aitoff where all of it is seen, else a zenithal equal-area
// projection around the centre of the view. Neither needs an angle for the way back.

const WHOLE = 0.97 / (4 * Math.SQRT2);
const CLOSEST = 4e5;

class Sphere {
  constructor(layers) {
    this.layers = layers;
    this.lon = 0;
    this.lat = 0;
    this.scale = 0;
    this.width = this.height = 1;
  }

  resize(width, height) {
    const before = this.smallest;
    this.width = width;
    this.height = height;
    this.scale = this.scale ? Math.max((this.scale * this.smallest) / before, this.smallest) : this.smallest;
  }

  get smallest() {
    return Math.min(this.width * WHOLE, (this.height * 0.97) / (2 * Math.SQRT2));
  }

  get whole() {
    return this.scale < 1.8 * this.smallest;
  }

  /** Height of the view in degrees. */
  get field() {
    return Math.min(180, this.height / this.scale / DEGREE);
  }

  axes() {
    return axesAt(this.lon, this.whole ? 0 : this.lat);
  }

  /** Direction at a place of the screen; null outside the sky. */
  direction(px, py) {
    const x = (this.width / 2 - px) / this.scale;
    const y = (this.height / 2 - py) / this.scale;
    const { out, east, north } = this.axes();
    let a, b, c;
    if (this.whole) {
      const zz = 1 - (x * x) / 16 - (y * y) / 4;
      if (zz < 0.5) return null;
      const z = Math.sqrt(zz);
      const [half, side] = [2 * zz - 1, (z * x) / 2];
      const norm = Math.hypot(half, side) || 1;
      a = (half * half - side * side) / norm;
      b = (2 * half * side) / norm;
      c = z * y;
    } else {
      const rr = x * x + y * y;
      if (rr > 4) return null;
      const f = Math.sqrt(1 - rr / 4);
      [a, b, c] = [1 - rr / 2, f * x, f * y];
    }
    return [0, 1, 2].map((k) => a * out[k] + b * east[k] + c * north[k]);
  }

  /** Place of a direction on the screen; null behind the sky. */
  place(v) {
    const { out, east, north } = this.axes();
    const [a, b, c] = [dot(v, out), dot(v, east), dot(v, north)];
    let x, y;
    if (this.whole) {
      const flat = Math.hypot(a, b);
      const half = Math.atan2(b, a) / 2;
      const f = Math.SQRT2 / Math.sqrt(1 + flat * Math.cos(half));
      x = 2 * f * flat * Math.sin(half);
      y = f * c;
    } else {
      if (a < -0.9) return null;
      const f = Math.sqrt(2 / (1 + a));
      [x, y] = [f * b, f * c];
    }
    return [this.width / 2 - x * this.scale, this.height / 2 - y * this.scale];
  }

  /** Move the sky with the pointer. */
  pan(dx, dy) {
    const lean = Math.max(0.15, Math.cos(this.lat * DEGREE));
    this.lon = (this.lon + dx / this.scale / DEGREE / (this.whole ? 1 : lean) + 360) % 360;
    if (!this.whole) this.lat = Math.max(-90, Math.min(90, this.lat + dy / this.scale / DEGREE));
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const held = this.direction(px, py);
    const before = this.whole;
    this.scale = Math.max(this.smallest, Math.min(CLOSEST, this.scale * factor));
    if (!held) return;
    if (before && !this.whole) [this.lon, this.lat] = degreesOf(held);
    for (let i = 0; i < 3; i += 1) {
      const now = this.place(held);
      if (now) this.pan(px - now[0], py - now[1]);
    }
  }

  show(v, field) {
    [this.lon, this.lat] = degreesOf(v);
    this.scale = Math.max(1.9 * this.smallest, this.height / (field * DEGREE));
  }

  reset() {
    [this.lon, this.lat, this.scale] = [0, 0, this.smallest];
  }

  /** Pixels on the screen of an angle in degrees. */
  length(angle) {
    return angle * DEGREE * this.scale;
  }

  /** Value of a layer at a direction, as it is drawn. */
  valueAt(layer, v) {
    return this.layers.valueAt(layer, 1 / this.scale, v);
  }

  /** Colours of the screen, each of a square of ``stride`` pixels. */
  raster(layer, stride) {
    const [columns, rows] = [Math.ceil(this.width / stride), Math.ceil(this.height / stride)];
    const words = new Uint32Array(columns * rows);
    const { nside, colours, done, fill, table } = this.layers.colours(layer, stride / this.scale);
    const { out, east, north } = this.axes();
    const turn = (v) => (this.layers.frame === "galactic" ? v : icrsOf(v));
    const [p, q, r] = [turn(out), turn(east), turn(north)];
    const whole = this.whole;
    for (let row = 0; row < rows; row += 1) {
      const y = (this.height / 2 - (row + 0.5) * stride) / this.scale;
      for (let column = 0; column < columns; column += 1) {
        const x = (this.width / 2 - (column + 0.5) * stride) / this.scale;
        let a, b, c;
        if (whole) {
          const zz = 1 - (x * x) / 16 - (y * y) / 4;
          if (zz < 0.5) continue;
          const z = Math.sqrt(zz);
          const half = 2 * zz - 1;
          const side = (z * x) / 2;
          const norm = Math.sqrt(half * half + side * side) || 1;
          a = (half * half - side * side) / norm;
          b = (2 * half * side) / norm;
          c = z * y;
        } else {
          const rr = x * x + y * y;
          if (rr > 4) continue;
          const f = Math.sqrt(1 - rr / 4);
          a = 1 - rr / 2;
          b = f * x;
          c = f * y;
        }
        const pixel = nestedPixel(
          nside,
          a * p[0] + b * q[0] + c * r[0],
          a * p[1] + b * q[1] + c * r[1],
          a * p[2] + b * q[2] + c * r[2],
        );
        const block = Math.floor(pixel / BLOCK);
        if (!done[block]) fill(block);
        words[row * columns + column] = table[colours[pixel]];
      }
    }
    return { words, columns, rows };
  }
}
