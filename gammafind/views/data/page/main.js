// The page: reads what it shows, and joins sky, table and panel.

const byId = (id) => document.getElementById(id);

async function mapOf(spec) {
  if (spec.lowest !== undefined) {
    return new NestedMap(spec.nside, await inflatedLogarithms(spec.id, spec.lowest, spec.step), { merge: spec.merge });
  }
  const words = await inflatedWords(spec.id);
  if (spec.nside) return new NestedMap(spec.nside, words, spec);
  const values = Float32Array.from(words, (word) => (word === UNSEEN ? NaN : spec.offset + spec.step * word));
  return { width: spec.width, height: spec.height, values, merge: spec.merge };
}

async function bandOf(spec) {
  const counts = await mapOf(spec.counts);
  if (!spec.background) return { counts, psf: spec.psf, background: null };
  const { id, lowest, step, nside } = spec.background;
  const values = await inflatedLogarithms(id, lowest, step);
  const background = nside ? new NestedMap(nside, values) : { ...counts, values };
  return { counts, psf: spec.psf, background };
}

async function geometryOf(data) {
  const bands = await Promise.all(data.sky.bands.map(bandOf));
  const maps = {};
  for (const [name, spec] of Object.entries(data.sky.maps)) maps[name] = await mapOf(spec);
  if (data.sky.kind === "sphere") {
    return new Sphere(new SphereLayers(data.sky.frame, bands, maps, data.sources));
  }
  return new Plane(new PlaneLayers(bands, maps, data.sky.pixelSize), data.sky.lattice);
}

function targetsOf(list, kind) {
  if (kind !== "sphere") return list.x.map((x, i) => [x, list.y[i]]);
  return list.glon.map((lon, i) => vectorOf(lon, list.glat[i]));
}

function skyOf(list) {
  return list.glon ? list.glon.map((lon, i) => vectorOf(lon, list.glat[i])) : null;
}

function choices(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  select.value = chosen;
}

async function start() {
  const data = await inflatedJson("data");
  for (const list of [data.sources, data.reference]) {
    list.targets = targetsOf(list, data.sky.kind);
    list.sky = skyOf(list);
  }
  const geometry = await geometryOf(data);
  const view = new SkyView(byId("sky"), geometry, data.sources, data.reference, data.sky.opening, {
    pointed: (direction) => { byId("pointer").textContent = direction ? `${pointerText(direction, geometry)}   ${valueText(view, direction)}` : ""; },
    chosen: (row) => choose(row),
  });
  const panel = new Panel(byId("panel"), data, view, { show: (row) => go(row) });
  const table = new SourceTable(byId("sources"), data.table, data.sources.names, {
    chosen: (row) => choose(row, { sky: true }),
    marked: (n) => { byId("marked").textContent = n ? `${n} marked` : ""; },
    filtered: (shown, n) => {
      view.shown = shown;
      byId("status").textContent = n === data.table.n ? `${n} sources` : `${n} of ${data.table.n} sources`;
      view.move();
    },
  });

  function go(row) {
    geometry.show(data.sources.targets[row], 2 * data.cutout.size);
    view.move();
  }
  function choose(row, { sky = false } = {}) {
    view.chosen = row;
    panel.show(row);
    document.body.dataset.chosen = row;
    table.show(row);
    if (sky) go(row);
    else view.move();
  }
  const pixels = (nside, vectors) => vectors.map((v) => nestedPixel(nside, ...v));
  window.gammafind = { view, table, panel, choose, pixels };

  await table.ready;
  labelTable(byId("sources"));
  controls(view, geometry, data);
  searchBox(new Names(data.sources, data.reference), data, view, geometry, choose);
  byId("any").addEventListener("input", (event) => table.filterAny(event.target.value));
  byId("picture").addEventListener("click", () => view.picture().then((blob) => download("map.png", blob)));
  byId("csv").addEventListener("click", () => download("sources.csv", table.csv()));
  byId("ds9").addEventListener("click", () => download("sources.reg", regions(data, table.rows())));
  document.body.dataset.ready = "yes";
  performance.mark("ready");
}

function pointerText(direction, geometry) {
  if (geometry instanceof Sphere) return positionText(direction);
  const [x, y] = direction;
  const sky = geometry.skyAt(x, y);
  const place = `x ${x.toFixed(1)}  y ${y.toFixed(1)}`;
  return sky ? `${place}   ${positionText(sky)}` : place;
}

/** What the layer shows at a place, and of how large a pixel. */
function valueText(view, direction) {
  const { value, side } = view.geometry.valueAt(view.layer, direction);
  const name = byId("layer").selectedOptions[0].textContent;
  const number = Number.isInteger(value) ? String(value) : Number(value.toPrecision(3)).toString();
  const known = Number.isNaN(value) ? "no data" : number;
  return `${name} ${known}${side ? ` (pixel of ${Number(side.toPrecision(2))}°)` : ""}`;
}

/** Name the inputs that the table made, for people who do not see it. */
function labelTable(root) {
  root.querySelector(".tabulator-tableholder").removeAttribute("tabindex");
  root.querySelectorAll("input[type=checkbox]").forEach((box) => box.setAttribute("aria-label", "Mark rows"));
}

function controls(view, geometry, data) {
  const titles = { counts: "Counts", model: "Model", residual: "Residual", significance: "Significance", ...data.sky.titles };
  choices(byId("layer"), geometry.layers.names.map((name) => [name, titles[name] ?? name]), "counts");
  const bands = data.bands.map((name, i) => [i, name]);
  choices(byId("band"), data.bands.length > 1 ? [[-1, "all bands"], ...bands] : [[-1, data.bands[0]]], -1);
  const draw = () => {
    view.layer = { name: byId("layer").value, band: Number(byId("band").value) };
    view.draw();
  };
  byId("layer").addEventListener("change", draw);
  byId("band").addEventListener("change", draw);
  for (const name of ["detections", "reference", "grid"]) {
    const box = byId(`show-${name}`);
    box.checked = view.overlays[name];
    box.addEventListener("change", () => {
      view.overlays[name] = box.checked;
      view.draw();
    });
  }
  if (!data.reference.targets.length) byId("show-reference").closest("label").hidden = true;
  if (data.sky.kind !== "sphere") byId("show-grid").closest("label").hidden = true;
  const buttons = { nearer: () => geometry.zoom(1.6), farther: () => geometry.zoom(1 / 1.6), whole: () => geometry.reset() };
  for (const [id, act] of Object.entries(buttons)) {
    byId(id).addEventListener("click", () => {
      act();
      view.move();
    });
  }
}

function searchBox(names, data, view, geometry, choose) {
  const box = byId("search");
  const answer = byId("answer");
  const go = (v, field) => {
    const target = data.sky.kind === "sphere" ? v : geometry.pixelOf(v);
    if (!target) return false;
    geometry.show(target, field);
    view.move();
    return true;
  };
  const suggest = () => byId("names").replaceChildren(
    ...names.find(box.value).map(({ name }) => element("option", { value: name })));
  box.addEventListener("input", suggest);
  byId("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const [best] = names.find(box.value, 1);
    const position = writtenPosition(box.value);
    if (position) {
      answer.textContent = go(position, 2 * data.cutout.size) ? "" : "This place is not on the map.";
    } else if (best?.kind === "source") {
      answer.textContent = best.name;
      choose(best.row, { sky: true });
    } else if (best) {
      byId("show-reference").checked = view.overlays.reference = true;
      const here = data.reference.sky[best.row];
      const near = nearestSource(here, data);
      answer.textContent = `${best.name} of the reference${near ? `; ${data.sources.name[near.row]} is ${near.off.toFixed(3)}° away` : ""}`;
      if (near) choose(near.row);
      go(here, 2 * data.cutout.size);
    } else answer.textContent = "No position and no known name: write degrees, such as 83.63 22.01, or l 184.6 -5.8.";
  });
}

/** The source that may be one of the reference: the nearest one, if it is not far away. */
function nearestSource(here, data) {
  const offs = (data.sources.sky ?? []).map((one) => separation(one, here));
  const off = Math.min(...offs, Infinity);
  return off <= data.near ? { row: offs.indexOf(off), off } : null;
}

/** DS9 regions of some rows: circles as wide as the 95 % position error. */
function regions(data, rows) {
  const safe = (text) => text.replace(/[^\x20-\x7e]/g, "?").replace(/[{}"']/g, "");
  const lines = rows.map((row) => {
    const label = `# text={${safe(data.sources.name[row])}}`;
    if (!data.sources.sky) return `image;circle(${data.sources.x[row] + 1},${data.sources.y[row] + 1},3) ${label}`;
    const [ra, dec] = degreesOf(icrsOf(data.sources.sky[row]));
    return `icrs;circle(${ra.toFixed(6)},${dec.toFixed(6)},${(data.sources.radius[row] || 0.01).toFixed(5)}) ${label}`;
  });
  return ["# Region file format: DS9", ...lines, ""].join("\n");
}

start().catch((error) => {
  byId("status").textContent = `The page cannot be shown: ${error.message}`;
  throw error;
});
