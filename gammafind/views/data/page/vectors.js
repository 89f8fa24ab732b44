// Directions on the sky, in degrees and as unit vectors.

const DEGREE = Math.PI / 180;
/** Rotation from ICRS to Galactic coordinates (Hipparcos catalogue, volume 1, section 1.5.3). */
const TO_GALACTIC = [
  -0.0548755604162154, -0.873437090234885, -0.4838350155487132,
  0.4941094278755837, -0.4448296299600112, 0.7469822444972189,
  -0.8676661490190047, -0.1980763734312015, 0.4559837761750669,
];

function vectorOf(lon, lat) {
  const [l, b] = [lon * DEGREE, lat * DEGREE];
  return [Math.cos(b) * Math.cos(l), Math.cos(b) * Math.sin(l), Math.sin(b)];
}

function degreesOf([x, y, z]) {
  const lon = Math.atan2(y, x) / DEGREE;
  return [lon < 0 ? lon + 360 : lon, Math.asin(Math.max(-1, Math.min(1, z))) / DEGREE];
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function galacticOf(v) {
  return [0, 3, 6].map((k) => dot(TO_GALACTIC.slice(k, k + 3), v));
}

function icrsOf(v) {
  return [0, 1, 2].map((k) => TO_GALACTIC[k] * v[0] + TO_GALACTIC[3 + k] * v[1] + TO_GALACTIC[6 + k] * v[2]);
}

/** Axes at a position: towards it, to the east and to the north. */
function axesAt(lon, lat) {
  const [l, b] = [lon * DEGREE, lat * DEGREE];
  return {
    out: vectorOf(lon, lat),
    east: [-Math.sin(l), Math.cos(l), 0],
    north: [-Math.sin(b) * Math.cos(l), -Math.sin(b) * Math.sin(l), Math.cos(b)],
  };
}

/** Angle between two directions, in degrees. */
function separation(a, b) {
  const chord = Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  return (2 * Math.asin(Math.min(1, chord / 2))) / DEGREE;
}

function sexagesimal(value, digits) {
  const unit = 10 ** digits;
  const total = Math.round(value * 3600 * unit);
  const seconds = (total / unit) % 60;
  const minutes = Math.floor(total / unit / 60) % 60;
  const whole = Math.floor(total / unit / 3600);
  const pad = (number, width) => String(number).padStart(width, "0");
  return [pad(whole, 2), pad(minutes, 2), seconds.toFixed(digits).padStart(digits ? 3 + digits : 2, "0")];
}

/** Position as people write it: Galactic and equatorial degrees. */
function positionText(galactic) {
  const [l, b] = degreesOf(galactic);
  const [ra, dec] = degreesOf(icrsOf(galactic));
  const signed = (value, digits) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
  return `l ${l.toFixed(3)}  b ${signed(b, 3)}   RA ${ra.toFixed(3)}  Dec ${signed(dec, 3)} (ICRS)`;
}
