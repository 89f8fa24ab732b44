// HEALPix in the NESTED order: four pixels in a row are one of the next coarser map.

const UNSEEN = 0xffff;
const SPREAD = Uint32Array.from({ length: 256 }, (_, i) => {
  let spread = 0;
  for (let bit = 0; bit < 8; bit += 1) spread |= ((i >> bit) & 1) << (2 * bit);
  return spread;
});

/** Index of the pixel that holds a unit vector; Gorski et al. 2005, ApJ 622, 759. */
function nestedPixel(nside, x, y, z) {
  const high = Math.abs(z);
  let turn = Math.atan2(y, x) * (2 / Math.PI);
  if (turn < 0) turn += 4;
  let face, column, row;
  if (high <= 2 / 3) {
    const along = nside * (0.5 + turn);
    const across = nside * z * 0.75;
    const up = Math.floor(along - across);
    const down = Math.floor(along + across);
    const faceUp = Math.floor(up / nside);
    const faceDown = Math.floor(down / nside);
    if (faceUp === faceDown) face = (faceUp & 3) + 4;
    else face = faceUp < faceDown ? faceUp : faceDown + 8;
    column = down & (nside - 1);
    row = nside - 1 - (up & (nside - 1));
  } else {
    const quarter = Math.min(3, Math.floor(turn));
    const part = turn - quarter;
    const width = nside * Math.sqrt(3 * (1 - high));
    const up = Math.min(nside - 1, Math.floor(part * width));
    const down = Math.min(nside - 1, Math.floor((1 - part) * width));
    face = z >= 0 ? quarter : quarter + 8;
    column = z >= 0 ? nside - 1 - down : up;
    row = z >= 0 ? nside - 1 - up : down;
  }
  const low = SPREAD[column & 255] | (SPREAD[row & 255] << 1);
  const top = SPREAD[column >> 8] | (SPREAD[row >> 8] << 1);
  return face * nside * nside + low + top * 65536;
}
