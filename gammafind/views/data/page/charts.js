// Small charts as SVG: spectra and light curves.

const SVG = "http://www.w3.org/2000/svg";
const [CHART_WIDTH, CHART_HEIGHT] = [430, 250];
const BOX = { left: 62, right: 422, top: 12, bottom: 212 };

function shape(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function write(text, x, y, parent, attributes = {}) {
  shape("text", { x, y, ...attributes }, parent).textContent = text;
}

/** Ticks of an axis: powers of ten of a logarithm, round steps otherwise. */
function ticksOf(low, high, log) {
  if (log) {
    const first = Math.ceil(Math.log10(low) - 1e-9);
    const powers = Array.from({ length: Math.floor(Math.log10(high) + 1e-9) - first + 1 }, (_, i) => 10 ** (first + i));
    return powers.length > 1 ? powers : [low, high].map((value) => Number(value.toPrecision(2)));
  }
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-2 && size < 1e6) return String(Number(value.toPrecision(6)));
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits.replace(/\.0$/, "")}e${Number(power)}`;
}

/**
 * Chart of points with errors, limits and a curve.
 *
 * Points are ``{x, left, right, y, low, high, limit}``; the curve a list of ``[x, y]``.
 */
function chart(title, { points, curve = [], xlabel, ylabel, logX = true, logY = true }) {
  const known = points.filter((one) => Number.isFinite(one.y) && (!logY || one.y > 0));
  const xs = points.flatMap((one) => [one.left, one.right]);
  const ys = known.flatMap((one) => [one.y, one.low, one.high]).concat(curve.map(([, y]) => y))
    .filter((y) => Number.isFinite(y) && (!logY || y > 0));
  if (!ys.length) return null;
  const peak = Math.max(...ys);
  const floor = logY ? Math.max(Math.min(...ys), peak * 1e-4) : Math.min(0, ...ys);
  const range = logY ? [floor / 1.6, peak * 1.6] : [floor, peak * 1.1 || 1];
  const scale = (low, high, log, from, to) => (value) => {
    const [a, b, v] = log ? [low, high, Math.max(value, low)].map(Math.log) : [low, high, value];
    return from + ((v - a) / (b - a)) * (to - from);
  };
  const [lowX, highX] = [Math.min(...xs), Math.max(...xs)];
  const [X, Y] = [scale(lowX, highX, logX, BOX.left, BOX.right), scale(...range, logY, BOX.bottom, BOX.top)];
  const svg = shape("svg", { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, role: "img", class: "chart" });
  shape("title", {}, svg).textContent = title;
  for (const tick of ticksOf(lowX, highX, logX)) {
    shape("line", { x1: X(tick), x2: X(tick), y1: BOX.bottom, y2: BOX.bottom + 4, class: "axis" }, svg);
    write(tickText(tick), X(tick), BOX.bottom + 17, svg, { "text-anchor": "middle" });
  }
  for (const tick of ticksOf(...range, logY)) {
    shape("line", { x1: BOX.left, x2: BOX.right, y1: Y(tick), y2: Y(tick), class: "rule" }, svg);
    write(tickText(tick), BOX.left - 5, Y(tick) + 4, svg, { "text-anchor": "end" });
  }
  shape("rect", { x: BOX.left, y: BOX.top, width: BOX.right - BOX.left, height: BOX.bottom - BOX.top, class: "axis" }, svg);
  write(xlabel, (BOX.left + BOX.right) / 2, CHART_HEIGHT - 4, svg, { "text-anchor": "middle" });
  write(ylabel, 0, 0, svg, { "text-anchor": "middle", transform: `translate(12 ${(BOX.top + BOX.bottom) / 2}) rotate(-90)` });
  if (curve.length) {
    const path = curve.filter(([, y]) => y >= range[0]).map(([x, y], i) => `${i ? "L" : "M"}${X(x)} ${Y(y)}`).join("");
    shape("path", { d: path, class: "curve" }, svg);
  }
  for (const one of known) drawPoint(svg, one, X, Y, range[0]);
  return svg;
}

function drawPoint(svg, one, X, Y, floor) {
  const [x, y] = [X(one.x), Y(one.y)];
  shape("line", { x1: X(one.left), x2: X(one.right), y1: y, y2: y, class: "point" }, svg);
  if (one.limit) {
    shape("path", { d: `M${x} ${y}v16m-4 -6l4 6l4 -6`, class: "point" }, svg);
    return;
  }
  const low = Number.isFinite(one.low) ? Math.max(one.low, floor) : one.y;
  const high = Number.isFinite(one.high) ? one.high : one.y;
  shape("line", { x1: x, x2: x, y1: Y(low), y2: Y(high), class: "point" }, svg);
  shape("circle", { cx: x, cy: y, r: 3.2, class: "dot" }, svg);
}
