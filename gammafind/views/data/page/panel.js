// What is known of one source.

const CUTOUT = 170;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Curve of a fitted spectrum: dN/dE at an energy, from the parameters of its type. */
function differential({ type, pivot, density, index, curvature, exponent }, energy) {
  const ratio = energy / pivot;
  const log = Math.log(ratio);
  if (type === "LogParabola") return density * ratio ** (-index - curvature * log);
  if (type.startsWith("PLSuperExpCutoff")) {
    const power = Math.abs(exponent * log) < 1e-3
      ? -index * log - (curvature / 2) * log * log
      : (-index + curvature / exponent) * log + (curvature / exponent ** 2) * (1 - ratio ** exponent);
    return density * Math.exp(power);
  }
  return density * ratio ** -index;
}

class Panel {
  constructor(root, data, view, hooks) {
    this.root = root;
    this.data = data;
    this.view = view;
    this.hooks = hooks;
  }

  show(row) {
    const { columns, values } = this.data.table;
    const title = element("h3", { tabindex: "-1" }, this.data.sources.name[row]);
    const facts = element("dl", { class: "facts" });
    for (const column of columns.slice(1)) {
      const text = cellText(values[column.key][row], column);
      if (text === "" || column.key.startsWith("prob_") || column.key === this.data.flags?.column) continue;
      const unit = column.unit ? ` ${column.unit}` : "";
      facts.append(element("dt", { title: column.description }, column.label), element("dd", {}, text + unit));
    }
    const parts = [title, this.nearest(row), this.flags(row), this.links(row), this.cutouts(row), this.spectrum(row),
      this.lightCurve(row), this.classes(row), facts];
    this.root.replaceChildren(...parts.filter(Boolean));
  }

  flags(row) {
    const flags = this.data.flags;
    if (!flags) return null;
    const words = flags.meanings.filter(([bit]) => Math.floor(flags.values[row] / bit) % 2).map(([, text]) => text);
    if (!words.length) return null;
    return element("p", { class: "flags" }, `Take care: ${words.join("; ")}.`);
  }

  nearest(row) {
    const { targets, name, names } = this.data.reference;
    if (!targets.length || !this.view.geometry.layers.frame) return null;
    const here = this.data.sources.targets[row];
    const near = targets.map((target, i) => [separation(here, target), i]).filter(([off]) => off < 1)
      .sort((a, b) => a[0] - b[0]).slice(0, 3);
    if (!near.length) return element("p", {}, "No source of the reference within 1 deg.");
    const known = (i) => (names[i].length > 1 ? `${name[i]} (${names[i].at(-1)})` : name[i]);
    const texts = near.map(([off, i]) => `${known(i)} at ${off.toFixed(3)} deg`);
    return element("p", {}, `Of the reference: ${texts.join(", ")}.`);
  }

  links(row) {
    const sky = this.data.sources.sky?.[row];
    if (!sky) return null;
    const [ra, dec] = degreesOf(icrsOf(sky)).map((value) => value.toFixed(5));
    const radius = Math.max(0.02, this.data.sources.radius[row] || 0).toFixed(4);
    const signed = Number(dec) < 0 ? dec : `+${dec}`;
    const addresses = {
      SIMBAD: `https://simbad.cds.unistra.fr/simbad/sim-coo?Coord=${ra}+${encodeURIComponent(signed)}&Radius=${radius}&Radius.unit=deg`,
      NED: `https://ned.ipac.caltech.edu/conesearch?search_type=Near%20Position%20Search&ra=${ra}d&dec=${dec}d&radius=${(60 * radius).toFixed(2)}`,
      Aladin: `https://aladin.cds.unistra.fr/AladinLite/?target=${ra}+${encodeURIComponent(signed)}&fov=${(20 * radius).toFixed(2)}`,
    };
    const links = Object.entries(addresses).map(([name, href]) =>
      element("a", { href, target: "_blank", rel: "noopener noreferrer" }, name));
    const show = element("button", { type: "button" }, "Show on the sky");
    show.addEventListener("click", () => this.hooks.show(row));
    return element("p", { class: "links" }, show, ...links);
  }

  /** Counts, model and what is left around the source, in each band. */
  cutouts(row) {
    const { geometry } = this.view;
    const names = ["counts", "model", "residual"].filter((name) => geometry.layers.names.includes(name));
    const heads = names.map((name) => element("th", { scope: "col" }, name));
    const table = element("table", { class: "cutouts" },
      element("caption", {}, `Around the source, ${this.data.cutout.text} wide`),
      element("thead", {}, element("tr", {}, element("td"), ...heads)));
    const body = element("tbody");
    this.data.bands.forEach((band, i) => {
      const cells = names.map((name) => element("td", {}, this.cutout(row, name, i, band)));
      body.append(element("tr", {}, element("th", { scope: "row" }, band), ...cells));
    });
    table.append(body);
    return table;
  }

  cutout(row, name, band, label) {
    const own = Object.create(Object.getPrototypeOf(this.view.geometry));
    Object.assign(own, this.view.geometry, { width: CUTOUT, height: CUTOUT });
    own.show(this.data.sources.targets[row], this.data.cutout.size);
    const { words, columns, rows } = own.raster({ name, band }, 1);
    const canvas = element("canvas", {
      width: columns, height: rows, role: "img", "aria-label": `${name}, ${label}, around ${this.data.sources.name[row]}`,
    });
    const context = canvas.getContext("2d");
    context.putImageData(new ImageData(new Uint8ClampedArray(words.buffer), columns, rows), 0, 0);
    const radius = own.length(this.data.sources.radius[row] || 0);
    context.strokeStyle = name === "residual" ? "#000000" : "#ffffff";
    context.lineWidth = 1.5;
    context.beginPath();
    context.arc(columns / 2, rows / 2, Math.max(3, Math.min(CUTOUT / 2 - 2, radius)), 0, 2 * Math.PI);
    context.stroke();
    return canvas;
  }

  spectrum(row) {
    const spectra = this.data.spectra;
    if (!spectra) return null;
    const points = spectra.edges.map(([left, right], band) => {
      const [y, low, high, limit] = spectra.points[row][band];
      return { x: Math.sqrt(left * right), left, right, y, low, high, limit };
    }).filter((one) => one.y !== null);
    const fitted = spectra.fitted?.[row];
    const [first, last] = [spectra.edges[0][0], spectra.edges.at(-1)[1]];
    const curve = !fitted ? [] : Array.from({ length: 60 }, (_, i) => {
      const energy = first * (last / first) ** (i / 59);
      return [energy, energy * energy * differential(fitted, energy) * spectra.erg];
    });
    const drawn = points.length && chart("Spectrum", { points, curve, xlabel: "Energy [GeV]", ylabel: "E² dN/dE [erg cm⁻² s⁻¹]" });
    return drawn ? element("figure", {}, drawn, element("figcaption", {}, "Spectrum; arrows are 95 % limits.")) : null;
  }

  lightCurve(row) {
    const curves = this.data.lightCurves;
    if (!curves) return null;
    const points = curves.edges.map(([left, right], epoch) => {
      const [y, low, high, limit] = curves.points[row][epoch];
      return { x: (left + right) / 2, left, right, y, low, high, limit };
    }).filter((one) => one.y !== null);
    const drawn = points.length && chart("Light curve", {
      points, xlabel: curves.xlabel, ylabel: `Flux [${curves.unit}]`, logX: false, logY: false,
    });
    return drawn ? element("figure", {}, drawn, element("figcaption", {}, "Light curve; arrows are 95 % limits.")) : null;
  }

  classes(row) {
    const { columns, values } = this.data.table;
    const known = columns.filter((one) => one.key.startsWith("prob_")).map((one) => [one.key.slice(5), values[one.key][row]])
      .filter(([, value]) => value !== null).sort((a, b) => b[1] - a[1]).slice(0, 6);
    if (!known.length) return null;
    const bars = known.flatMap(([name, value]) => [
      element("dt", {}, name),
      element("dd", {}, element("meter", { value, min: 0, max: 1, "aria-label": `probability of ${name}` }), ` ${value.toFixed(3)}`),
    ]);
    return element("div", {}, element("h4", {}, "Probabilities of classes"), element("dl", { class: "classes" }, ...bars));
  }
}
