// The table of sources, by Tabulator: filters in the heads, sorting, rows to download.

function cellText(value, column) {
  if (value === null || value === undefined || value === "") return "";
  if (column.type === "text") return value;
  if (column.form === "e") return value.toExponential(column.digits).replace("e", "e").replace("+", "");
  return value.toFixed(column.digits);
}

/** Whether a value passes what is written in the head of its column; null where it says nothing. */
function passes(written, value, column) {
  const text = written.trim();
  if (!text) return true;
  if (column.type === "text") {
    if (text === "!") return !value;
    const negated = text.startsWith("!");
    const found = String(value ?? "").toLowerCase().includes(text.replace(/^!/, "").trim().toLowerCase());
    return negated ? !found : found;
  }
  const number = "[-+]?[0-9.]+(?:e[-+]?[0-9]+)?";
  const range = text.match(new RegExp(`^(${number})\\s*\\.\\.\\s*(${number})$`, "i"));
  if (value === null || value === undefined) return false;
  if (range) return value >= Number(range[1]) && value <= Number(range[2]);
  const part = text.match(new RegExp(`^(abs)?\\s*(>=|<=|>|<|=|!=)\\s*(${number})$`, "i"));
  if (!part) return cellText(value, column).startsWith(text);
  const [left, right] = [part[1] ? Math.abs(value) : value, Number(part[3])];
  return {
    ">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right,
    "=": left === right, "!=": left !== right,
  }[part[2]];
}

class SourceTable {
  constructor(root, data, names, hooks) {
    this.columns = data.columns;
    this.values = data.values;
    this.n = data.n;
    this.hooks = hooks;
    this.any = "";
    const rows = Array.from({ length: this.n }, (_, id) => {
      const row = { id };
      for (const { key } of this.columns) row[key] = this.values[key][id];
      return row;
    });
    this.texts = rows.map((row) => this.columns.filter((one) => one.type === "text")
      .map((one) => row[one.key] ?? "").concat(names[row.id]).join(" ").toLowerCase());
    this.table = new Tabulator(root, {
      data: rows,
      columns: [this.chooser(), ...this.columns.map((column) => this.head(column))],
      height: "26rem",
      layout: "fitData",
      headerFilterLiveFilterDelay: 10,
      rowHeight: 30,
      keybindings: false,
      renderHorizontal: "virtual",
      headerSortElement: "<span class='arrow' aria-hidden='true'></span>",
      placeholder: "No source passes the filters.",
      popupContainer: root,
      columnDefaults: { headerHozAlign: "left", vertAlign: "middle", resizable: "header" },
    });
    this.ready = new Promise((resolve) => this.table.on("tableBuilt", resolve));
    this.table.on("dataFiltered", (_, left) => this.filtered(left.map((row) => row.getData().id)));
    this.table.on("rowClick", (event, row) => {
      if (!event.target.closest("input")) hooks.chosen(row.getData().id);
    });
    this.table.on("rowSelectionChanged", (data) => hooks.marked(data.length));
  }

  chooser() {
    return {
      formatter: "rowSelection", titleFormatter: "rowSelection", headerSort: false, hozAlign: "center",
      width: 42, resizable: false, titleFormatterParams: { rowRange: "active" },
    };
  }

  head(column) {
    const title = column.unit ? `${column.label} [${column.unit}]` : column.label;
    return {
      title, field: column.key, headerTooltip: column.description || title,
      hozAlign: column.type === "text" ? "left" : "right",
      sorter: column.type === "text" ? "string" : "number",
      sorterParams: { alignEmptyValues: "bottom" },
      headerFilter: "input", headerFilterLiveFilter: true,
      headerFilterPlaceholder: column.type === "text" ? "text" : "> 10",
      headerFilterParams: { elementAttributes: { "aria-label": `Filter ${title}`, spellcheck: "false" } },
      headerFilterFunc: (written, value) => passes(written, value, column),
      formatter: (cell) => this.cell(cell, column),
    };
  }

  cell(cell, column) {
    const text = cellText(cell.getValue(), column);
    if (column.key !== this.columns[0].key) return document.createTextNode(text);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "name";
    button.textContent = text;
    return button;
  }

  filterAny(text) {
    this.any = text.trim().toLowerCase();
    if (this.any) this.table.setFilter((row) => this.texts[row.id].includes(this.any));
    else this.table.clearFilter();
  }

  filtered(left) {
    const shown = new Array(this.n).fill(false);
    left.forEach((id) => { shown[id] = true; });
    this.hooks.filtered(shown, left.length);
  }

  /** Show a row that was chosen elsewhere. */
  async show(id) {
    this.current?.getElement()?.classList.remove("current");
    const row = this.table.getRow(id);
    if (!row) return;
    this.current = row;
    await row.scrollTo("center", false).catch(() => {});
    row.getElement().classList.add("current");
  }

  /** Rows for a download: those with a mark, or else those that pass the filters. */
  rows() {
    const marked = this.table.getSelectedData();
    return (marked.length ? marked : this.table.getData("active")).map((row) => row.id);
  }

  csv() {
    const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const heads = this.columns.map((column) => quoted(column.key));
    const line = (id) => this.columns.map(({ key }) => quoted(String(this.values[key][id] ?? ""))).join(",");
    return [heads.join(","), ...this.rows().map(line)].join("\n") + "\n";
  }
}

/** Offer a text or a picture as a file. */
function download(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
