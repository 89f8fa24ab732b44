// The sky that people touch: drag, wheel, two fingers, keys; markers and names over the pixels.

/** Milliseconds that the pixels of a frame may take while something moves, of 16. */
const MOVING = 6;
const SETTLED = 140;
const NEAR = 14;
const NAMED = 60;

class SkyView {
  constructor(root, geometry, sources, reference, opening, hooks) {
    this.geometry = geometry;
    this.sources = sources;
    this.reference = reference;
    this.opening = opening;
    this.hooks = hooks;
    this.layer = { name: "counts", band: -1 };
    this.shown = sources.targets.map(() => true);
    this.overlays = { detections: true, reference: false, grid: true };
    this.chosen = -1;
    this.stride = 3;
    this.pixels = root.querySelector(".sky-pixels");
    this.marks = root.querySelector(".sky-marks");
    this.small = document.createElement("canvas");
    this.stamps = new Stamps();
    this.fingers = new Map();
    this.frames = [];
    new ResizeObserver(() => this.resize()).observe(this.marks);
    this.listen();
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.marks;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    [this.pixels.width, this.pixels.height] = [width, height];
    [this.marks.width, this.marks.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    this.geometry.resize(width, height);
    this.open();
    this.draw();
  }

  /** Show the part of a sky that has data, once. */
  open() {
    const { opening } = this;
    this.opening = null;
    if (opening) this.geometry.show(vectorOf(opening.glon, opening.glat), 1.1 * opening.width);
  }

  listen() {
    const place = (event) => {
      const box = this.marks.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    this.marks.addEventListener("pointerdown", (event) => {
      this.marks.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, place(event));
      this.still = this.fingers.size === 1;
    });
    this.marks.addEventListener("pointermove", (event) => {
      const now = place(event);
      this.hooks.pointed(this.geometry.direction(...now));
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      if (Math.hypot(now[0] - before[0], now[1] - before[1]) < 3 && this.still) return;
      this.still = false;
      this.fingers.set(event.pointerId, now);
      if (this.fingers.size === 1) this.geometry.pan(now[0] - before[0], now[1] - before[1]);
      else this.pinch(event.pointerId, before, now);
      this.move();
    });
    const lifted = (event) => {
      const known = this.fingers.delete(event.pointerId);
      if (known && this.still && event.type === "pointerup") this.choose(...place(event));
    };
    this.marks.addEventListener("pointerup", lifted);
    this.marks.addEventListener("pointercancel", lifted);
    this.marks.addEventListener("pointerleave", () => this.hooks.pointed(null));
    this.marks.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.geometry.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY)) / 300), ...place(event));
      this.move();
    }, { passive: false });
    this.marks.addEventListener("dblclick", (event) => {
      this.geometry.zoom(2, ...place(event));
      this.move();
    });
    this.marks.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const step = 60;
    const moves = {
      ArrowLeft: () => this.geometry.pan(step, 0),
      ArrowRight: () => this.geometry.pan(-step, 0),
      ArrowUp: () => this.geometry.pan(0, step),
      ArrowDown: () => this.geometry.pan(0, -step),
      "+": () => this.geometry.zoom(1.4),
      "=": () => this.geometry.zoom(1.4),
      "-": () => this.geometry.zoom(1 / 1.4),
      0: () => this.geometry.reset(),
      Enter: () => this.choose(this.pixels.width / 2, this.pixels.height / 2, Infinity),
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moves[event.key]();
    this.move();
  }

  pinch(id, before, now) {
    const [other] = [...this.fingers].filter(([key]) => key !== id).map(([, at]) => at);
    const reach = (at) => Math.max(10, Math.hypot(at[0] - other[0], at[1] - other[1]));
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.geometry.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    this.geometry.zoom(reach(now) / reach(before), ...middle);
  }

  /** Choose the detection that is nearest to a place of the screen. */
  choose(px, py, reach = NEAR) {
    let best = [reach, -1];
    this.eachPlace((row, x, y) => {
      const radius = this.radius(row);
      const off = Math.max(0, Math.hypot(x - px, y - py) - (radius > reach ? radius : 0));
      if (off < best[0]) best = [off, row];
    });
    if (best[1] >= 0) this.hooks.chosen(best[1]);
  }

  eachPlace(visit) {
    this.sources.targets.forEach((target, row) => {
      if (!this.shown[row] || !this.overlays.detections) return;
      const at = this.geometry.place(target);
      if (!at) return;
      if (this.inside(...at)) visit(row, ...at);
    });
  }

  /** Whether a place is on the screen, or next to it. */
  inside(x, y) {
    return x > -20 && y > -20 && x < this.pixels.width + 20 && y < this.pixels.height + 20;
  }

  radius(row) {
    const error = this.sources.radius[row];
    const least = this.geometry.scale < 2 * this.geometry.smallest ? 2.5 : 4;
    return Math.max(least, Math.min(400, error > 0 ? this.geometry.length(error) : 0));
  }

  /** Draw coarsely while something moves, and well when it rests. */
  move() {
    clearTimeout(this.resting);
    if (!this.waiting) {
      this.waiting = requestAnimationFrame((time) => {
        this.waiting = null;
        this.frames.push(time);
        if (this.frames.length > 240) this.frames.shift();
        const before = performance.now();
        this.paint(this.stride);
        const spent = performance.now() - before;
        if (spent > MOVING) this.stride = Math.min(6, this.stride + 1);
        else if (spent < MOVING / 3) this.stride = Math.max(1, this.stride - 1);
        this.overlay();
      });
    }
    this.resting = setTimeout(() => this.draw(), SETTLED);
  }

  draw() {
    this.paint(1);
    this.overlay();
  }

  paint(stride) {
    const { words, columns, rows } = this.geometry.raster(this.layer, stride);
    const context = this.pixels.getContext("2d");
    [this.small.width, this.small.height] = [columns, rows];
    this.small.getContext("2d").putImageData(
      new ImageData(new Uint8ClampedArray(words.buffer), columns, rows), 0, 0);
    context.imageSmoothingEnabled = false;
    context.clearRect(0, 0, this.pixels.width, this.pixels.height);
    context.drawImage(this.small, 0, 0, columns * stride, rows * stride);
  }

  /** The map as it is seen, as a PNG. */
  picture() {
    const whole = document.createElement("canvas");
    [whole.width, whole.height] = [this.marks.width, this.marks.height];
    const context = whole.getContext("2d");
    context.fillStyle = "#05060a";
    context.fillRect(0, 0, whole.width, whole.height);
    context.imageSmoothingEnabled = false;
    for (const layer of [this.pixels, this.marks]) context.drawImage(layer, 0, 0, whole.width, whole.height);
    return new Promise((resolve) => whole.toBlob(resolve));
  }

  overlay() {
    const context = this.marks.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.pixels.width, this.pixels.height);
    context.imageSmoothingEnabled = false;
    context.font = "12px system-ui, sans-serif";
    const light = this.geometry.layers.isLight(this.layer.name);
    if (this.overlays.grid) drawGrid(context, this.geometry, light);
    const written = [];
    if (this.overlays.reference) this.drawReference(context, light, written);
    this.drawDetections(context, written);
  }

  drawReference(context, light, written) {
    const near = [];
    context.strokeStyle = light ? "#00695c" : "#7fe3d4";
    context.lineWidth = 1.2;
    context.beginPath();
    this.reference.targets.forEach((target, row) => {
      const at = this.geometry.place(target);
      if (!at || !this.inside(...at)) return;
      near.push([row, ...at]);
      context.moveTo(at[0] - 5, at[1]);
      context.lineTo(at[0] + 5, at[1]);
      context.moveTo(at[0], at[1] - 5);
      context.lineTo(at[0], at[1] + 5);
    });
    context.stroke();
    if (near.length > NAMED / 2) return;
    near.forEach(([row, x, y]) => this.label(context, written, this.reference.name[row], x + 8, y + 12, "#9ff0e4"));
  }

  drawDetections(context, written) {
    const near = [];
    this.eachPlace((row, x, y) => {
      near.push([row, x, y]);
      this.mark(context, row, x, y);
    });
    if (near.length <= NAMED) {
      near.forEach(([row, x, y]) => {
        this.outline(context, row, x, y);
        this.label(context, written, this.sources.label[row], x + Math.min(40, this.radius(row)) + 4, y);
      });
    }
    const at = this.chosen >= 0 && this.geometry.place(this.sources.targets[this.chosen]);
    if (!at) return;
    context.lineWidth = 3;
    context.strokeStyle = "#ffffff";
    context.beginPath();
    context.arc(at[0], at[1], this.radius(this.chosen) + 4, 0, 2 * Math.PI);
    context.stroke();
  }

  /** Extent of a source that is no point. */
  outline(context, row, x, y) {
    const extent = this.geometry.length(this.sources.extent[row]);
    if (extent <= this.radius(row)) return;
    context.setLineDash([6, 5]);
    context.lineWidth = 1.6;
    context.strokeStyle = this.sources.colour[row];
    context.beginPath();
    context.arc(x, y, extent, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
  }

  mark(context, row, x, y) {
    const diamond = this.sources.matched?.[row] === false;
    this.stamps.draw(context, diamond, this.radius(row), this.sources.colour[row], x, y);
  }

  /** Write a name where no other one is. */
  label(context, written, text, left, y, colour = "#ffffff") {
    const right = left + context.measureText(text).width;
    if (written.some(([a, b, c]) => left < b && right > a && Math.abs(c - y) < 13)) return;
    written.push([left, right, y]);
    context.lineWidth = 3;
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.strokeText(text, left, y + 4);
    context.fillStyle = colour;
    context.fillText(text, left, y + 4);
  }
}

/** Lines of equal Galactic longitude and latitude on a sky; nothing on an image. */
function drawGrid(context, geometry, light) {
  if (!(geometry instanceof Sphere)) return;
  const steps = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1];
  const step = geometry.whole ? 30 : steps.find((one) => one < geometry.field / 3) ?? 0.1;
  context.lineWidth = 0.7;
  context.strokeStyle = light ? "rgb(0 0 0 / 28%)" : "rgb(255 255 255 / 32%)";
  context.fillStyle = light ? "rgb(0 0 0 / 80%)" : "rgb(255 255 255 / 85%)";
  context.font = "11px system-ui, sans-serif";
  const middle = Math.round(geometry.lon / step) * step;
  const height = geometry.whole ? 0 : Math.round(geometry.lat / step) * step;
  const reach = geometry.whole ? 180 : Math.min(180, (5 * step) / Math.max(0.1, Math.cos(geometry.lat * DEGREE)));
  const low = geometry.whole ? -90 : Math.max(-90, height - 5 * step);
  const top = geometry.whole ? 90 : Math.min(90, height + 5 * step);
  const tidy = (value) => String(Number(value.toFixed(1)));
  const line = (points) => {
    let last = null;
    context.beginPath();
    for (const [l, b] of points) {
      const at = geometry.place(vectorOf(l, b));
      if (at && last && Math.hypot(at[0] - last[0], at[1] - last[1]) < geometry.width / 3) context.lineTo(...at);
      else if (at) context.moveTo(...at);
      last = at;
    }
    context.stroke();
  };
  // Numbers of a field are at its borders: people look at the source in the middle.
  const below = geometry.whole ? null : geometry.direction(geometry.width / 2, geometry.height - 8);
  const left = geometry.whole ? null : geometry.direction(8, geometry.height / 2);
  const row = below ? degreesOf(below)[1] : height;
  const column = left ? degreesOf(left)[0] : middle;
  for (let l = middle - Math.ceil(reach / step) * step; l <= middle + reach + 1e-9; l += step) {
    line(Array.from({ length: 61 }, (_, i) => [l, low + ((top - low) * i) / 60]));
    const at = geometry.place(vectorOf(l, row));
    if (at && (!geometry.whole || Math.abs(l - geometry.lon) < 179)) context.fillText(`${tidy((l + 720) % 360)}°`, at[0] + 3, at[1] - 3);
  }
  for (let b = low; b <= top + 1e-9; b += step) {
    line(Array.from({ length: 121 }, (_, i) => [geometry.lon - reach * 0.9999 + (2 * reach * 0.9999 * i) / 120, b]));
    const at = geometry.place(vectorOf(column, b));
    if (at && Math.abs(b) < 90) context.fillText(`${b > 0 ? "+" : ""}${tidy(b)}°`, at[0] + 3, at[1] + 13);
  }
}
