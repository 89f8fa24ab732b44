// From what people write to a place on the sky: coordinates or a name.

/** Direction in ICRS or Galactic coordinates; null where the text is no position. */
function writtenPosition(text) {
  const trimmed = text.trim();
  const galactic = /^(?:gal(?:actic)?|l)\b[:=\s]*/i;
  const frame = galactic.test(trimmed) ? "galactic" : "icrs";
  const rest = trimmed.replace(galactic, "").replace(/^(?:icrs|fk5|j2000|ra)\b[:=\s]*/i, "")
    .replace(/\b(?:b|dec)\s*[:=]\s*/i, " ").replaceAll("−", "-");
  const numbers = rest.replace(/[,;°]/g, " ").replace(/[hdms:'"′″]/gi, " ").trim().split(/\s+/);
  if (!numbers.every((one) => /^[-+]?\d+(\.\d+)?$/.test(one))) return null;
  let lon, lat;
  if (numbers.length === 2) [lon, lat] = numbers.map(Number);
  else if (numbers.length === 6) {
    const [h, m, s, d, arcmin, arcsec] = numbers.map(Number);
    lon = 15 * (h + m / 60 + s / 3600);
    lat = (numbers[3].startsWith("-") ? -1 : 1) * (Math.abs(d) + arcmin / 60 + arcsec / 3600);
  } else return null;
  if (Math.abs(lat) > 90 || lon < -360 || lon > 360) return null;
  const v = vectorOf(lon, lat);
  return frame === "galactic" ? v : galacticOf(v);
}

/** Names as they are compared: without spaces, marks and case. */
function bareName(text) {
  return text.toLowerCase().replace(/[^a-z0-9+.]/g, "");
}

/** Sources and places of the reference by their names, best first. */
class Names {
  constructor(sources, reference) {
    const entries = (list, kind) => list.flatMap((names, row) => names.filter(Boolean).map((name) => ({ name, bare: bareName(name), kind, row })));
    this.all = [...entries(sources.names, "source"), ...entries(reference.names, "reference")];
  }

  find(text, most = 8) {
    const bare = bareName(text);
    if (!bare) return [];
    const rank = ({ bare: name }) => (name === bare ? 0 : name.startsWith(bare) ? 1 : name.includes(bare) ? 2 : 3);
    return this.all.map((entry) => [rank(entry), entry]).filter(([order]) => order < 3)
      .sort((a, b) => a[0] - b[0]).slice(0, most).map(([, entry]) => entry);
  }
}
