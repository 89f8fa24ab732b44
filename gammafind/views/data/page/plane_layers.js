// Layers of an image; those of another size cover the same part of the sky.

class PlaneLayers extends Layers {
  constructor(bands, maps, pixelSize) {
    super(bands, maps);
    this.pixelSize = pixelSize;
    [this.width, this.height] = [bands[0].counts.width, bands[0].counts.height];
  }

  colours({ name, band }, size) {
    const own = this.width / this.image(name, band, 0).width;
    const levels = Math.max(0, Math.floor(Math.log2(size / own)));
    const image = this.image(name, band, levels);
    const colours = this.once(`colours ${name} ${band} ${levels}`, () => {
      const like = name === "model" ? this.image("counts", band, levels) : image;
      return coloured(image.values, this.scale(name, thinned(like.values)));
    });
    return { ...image, coarser: 2 ** levels * own, colours, table: this.table(name) };
  }

  /** Value of a layer at a place of the image, in its own pixels. */
  valueAt({ name, band }, size, [x, y]) {
    const { width, height, values } = this.image(name, band, 0);
    const own = this.width / width;
    const [column, row] = [Math.floor((x + 0.5) / own), Math.floor((y + 0.5) / own)];
    const inside = column >= 0 && row >= 0 && column < width && row < height;
    return { value: inside ? values[row * width + column] : NaN };
  }

  /** An image of a layer, made coarser by two a number of times. */
  image(name, band, levels) {
    return this.once(`${name} ${band} ${levels}`, () => {
      if (name === "residual" || name === "significance") return this.difference(name, band, levels);
      if (levels) return halved(this.image(name, band, levels - 1));
      if (name in this.maps) return this.maps[name];
      const [first, ...others] = this.chosen(band).map((one) => one[name === "model" ? "background" : "counts"]);
      const values = others.reduce((total, one) => total.map((value, i) => value + one.values[i]), first.values);
      return { ...first, values };
    });
  }

  difference(name, band, levels) {
    const counts = this.image("counts", band, levels);
    const model = this.image("model", band, levels).values;
    const values = name === "residual" ? counts.values.map((n, i) => n - model[i]) : significances(counts.values, model);
    return { ...counts, values };
  }
}

/** An image with half the pixels a side; pixels without data are left out. */
function halved({ width, height, values, merge }) {
  const [columns, rows] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const halves = new Float32Array(columns * rows);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      let seen = 0;
      let highest = -Infinity;
      for (let y = 2 * row; y < Math.min(height, 2 * row + 2); y += 1) {
        for (let x = 2 * column; x < Math.min(width, 2 * column + 2); x += 1) {
          const value = values[y * width + x];
          if (!Number.isNaN(value)) {
            sum += value;
            seen += 1;
            highest = Math.max(highest, value);
          }
        }
      }
      halves[row * columns + column] = seen ? MERGED[merge](sum, seen, highest, 4) : NaN;
    }
  }
  return { width: columns, height: rows, values: halves, merge };
}
