// From values to colours: the first colour stands for no data.

const HEAT = ["#0d0822", "#2b115e", "#5c167f", "#922a81", "#c83e73", "#f0605d", "#fd9a6a", "#fece91", "#fcfdbf"];
const SIGNED = ["#2b4c9b", "#5f8fd0", "#a8c9ea", "#e6eef5", "#f4f4f4", "#f7e3d8", "#f0ab8d", "#d4604f", "#9c1c2b"];
const NO_DATA = "#8a94a0";

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** 256 colours between anchors as little-endian RGBA words. */
function colourTable(anchors) {
  const words = new Uint32Array(256);
  const write = (i, [red, green, blue]) => {
    words[i] = (255 << 24) | (blue << 16) | (green << 8) | red;
  };
  write(0, channels(NO_DATA));
  for (let i = 1; i < 256; i += 1) {
    const place = ((i - 1) / 254) * (anchors.length - 1);
    const left = Math.min(anchors.length - 2, Math.floor(place));
    const [a, b] = [channels(anchors[left]), channels(anchors[left + 1])];
    write(i, a.map((value, k) => Math.round(value + (place - left) * (b[k] - value))));
  }
  return words;
}

/** Some values of many, evenly spread. */
function thinned(values) {
  const step = Math.max(1, Math.floor(values.length / 20000));
  return values.filter((_, i) => i % step === 0);
}

/** Quantiles of the finite values. */
function quantiles(values, shares) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return shares.map((share) => (sorted.length ? sorted[Math.round(share * (sorted.length - 1))] : 0));
}

/** Scale that is nearly linear below the usual values, and logarithmic far above. */
function stretch(sample) {
  const [low, middle, high] = quantiles(sample, [0.01, 0.6, 0.9995]);
  const soft = middle > low ? Math.max(middle - low, 1e-3 * (high - low)) : Math.max(0.2 * (high - low), 1e-12);
  const top = Math.asinh(Math.max(high - low, soft) / soft);
  return (value) => Math.asinh((value - low) / soft) / top;
}

/** Scale between minus and plus a limit. */
function between(limit) {
  return (value) => 0.5 + value / (2 * limit);
}

/** Indices of the colours of values, by a scale from 0 to 1; index 0 stands for no data. */
function coloured(values, scale) {
  const colours = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isNaN(values[i])) {
      colours[i] = 1 + Math.max(0, Math.min(254, Math.round(254 * scale(values[i]))));
    }
  }
  return colours;
}
