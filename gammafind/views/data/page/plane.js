// An image on the screen, row 0 at the bottom.

class Plane {
  constructor(layers, sky) {
    this.layers = layers;
    this.lattice = sky;
    [this.x, this.y] = [layers.width / 2 - 0.5, layers.height / 2 - 0.5];
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
    return 0.97 * Math.min(this.width / this.layers.width, this.height / this.layers.height);
  }

  /** Height of the view in pixels of the image. */
  get field() {
    return this.height / this.scale;
  }

  direction(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y + (this.height / 2 - py) / this.scale];
  }

  place([x, y]) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  pan(dx, dy) {
    this.x = Math.max(-0.5, Math.min(this.layers.width - 0.5, this.x - dx / this.scale));
    this.y = Math.max(-0.5, Math.min(this.layers.height - 0.5, this.y + dy / this.scale));
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const held = this.direction(px, py);
    this.scale = Math.max(this.smallest, Math.min(60, this.scale * factor));
    const now = this.place(held);
    this.pan(px - now[0], py - now[1]);
  }

  show([x, y], field) {
    [this.x, this.y] = [x, y];
    this.scale = Math.max(this.smallest, this.height / field);
  }

  reset() {
    [this.x, this.y] = [this.layers.width / 2 - 0.5, this.layers.height / 2 - 0.5];
    this.scale = this.smallest;
  }

  /** Pixels on the screen of an angle in degrees. */
  length(angle) {
    return (angle / this.layers.pixelSize) * this.scale;
  }

  /** Direction on the sky of a place of the image, between those that are known; or null. */
  skyAt(x, y) {
    if (!this.lattice) return null;
    const { columns, rows, vectors } = this.lattice;
    const u = Math.max(0, Math.min(columns - 1.001, ((x + 0.5) / this.layers.width) * (columns - 1)));
    const v = Math.max(0, Math.min(rows - 1.001, ((y + 0.5) / this.layers.height) * (rows - 1)));
    const [i, j] = [Math.floor(u), Math.floor(v)];
    const [a, b] = [u - i, v - j];
    const at = (column, row, k) => vectors[3 * (row * columns + column) + k];
    const sum = [0, 1, 2].map((k) =>
      (1 - b) * ((1 - a) * at(i, j, k) + a * at(i + 1, j, k)) +
      b * ((1 - a) * at(i, j + 1, k) + a * at(i + 1, j + 1, k)));
    const norm = Math.hypot(...sum);
    return norm > 0.5 ? sum.map((value) => value / norm) : null;
  }

  /** Place of the image that is nearest to a direction; null where it is not on the image. */
  pixelOf(v) {
    if (!this.lattice) return null;
    let best = null;
    let [x, y] = [this.x, this.y];
    let step = Math.max(this.layers.width, this.layers.height) / 2;
    for (; step > 0.05; step /= 2) {
      for (let i = -2; i <= 2; i += 1) {
        for (let j = -2; j <= 2; j += 1) {
          const [tx, ty] = [x + (i * step) / 2, y + (j * step) / 2];
          const here = this.skyAt(tx, ty);
          const off = here ? separation(here, v) : 999;
          if (!best || off < best.off) best = { off, x: tx, y: ty };
        }
      }
      [x, y] = [best.x, best.y];
    }
    const inside = x >= -0.5 && y >= -0.5 && x <= this.layers.width && y <= this.layers.height;
    return inside && best.off < 3 * this.layers.pixelSize ? [x, y] : null;
  }

  /** Value of a layer at a place of the image. */
  valueAt(layer, place) {
    return this.layers.valueAt(layer, 1 / this.scale, place);
  }

  /** Colours of the screen, each of a square of ``stride`` pixels. */
  raster(layer, stride) {
    const [columns, rows] = [Math.ceil(this.width / stride), Math.ceil(this.height / stride)];
    const words = new Uint32Array(columns * rows);
    const { width, height, coarser, colours, table } = this.layers.colours(layer, stride / this.scale);
    for (let row = 0; row < rows; row += 1) {
      const y = Math.floor((this.direction(0, (row + 0.5) * stride)[1] + 0.5) / coarser);
      if (y < 0 || y >= height) continue;
      for (let column = 0; column < columns; column += 1) {
        const px = (column + 0.5) * stride;
        const x = Math.floor((this.x + (px - this.width / 2) / this.scale + 0.5) / coarser);
        if (x >= 0 && x < width) words[row * columns + column] = table[colours[y * width + x]];
      }
    }
    return { words, columns, rows };
  }
}
