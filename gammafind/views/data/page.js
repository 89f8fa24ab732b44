"use strict";
(() => {
  const ROWS_A_PAGE = 50;
  const { columns, rows } = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const head = document.querySelector("#sources thead tr");
  const body = document.querySelector("#sources tbody");
  const textOf = (cell) => (cell === null ? "" : Array.isArray(cell) ? cell[1] : cell);
  const haystacks = rows.map((row) => row.map(textOf).join("\n").toLowerCase());
  let shown = rows.map((_, index) => index);
  let order = { column: -1, sign: 1 };
  let page = 0;

  const compare = (first, second) => {
    const a = rows[first][order.column];
    const b = rows[second][order.column];
    if (a === null || b === null) return (a === null) - (b === null);
    const difference = Array.isArray(a) ? a[0] - b[0] : a.localeCompare(b, "en", { numeric: true });
    return order.sign * difference || first - second;
  };

  const cellElement = (cell, type) => {
    const element = document.createElement("td");
    if (type === "text") element.className = "text";
    if (type === "link") {
      const link = document.createElement("a");
      link.href = cell[2];
      link.rel = "noreferrer";
      link.textContent = cell[1];
      element.append(link);
    } else {
      element.textContent = textOf(cell);
    }
    return element;
  };

  const rowElement = (index) => {
    const element = document.createElement("tr");
    rows[index].forEach((cell, i) => element.append(cellElement(cell, columns[i].type)));
    return element;
  };

  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / ROWS_A_PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const first = page * ROWS_A_PAGE;
    body.replaceChildren(...shown.slice(first, first + ROWS_A_PAGE).map(rowElement));
    byId("status").textContent = `${shown.length} of ${rows.length} sources`;
    byId("page").textContent = `page ${page + 1} of ${pages}`;
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === pages - 1;
  };

  const select = () => {
    const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = rows.map((_, index) => index);
    shown = shown.filter((index) => words.every((word) => haystacks[index].includes(word)));
    if (order.column >= 0) shown.sort(compare);
    page = 0;
    draw();
  };

  const sortBy = (column) => {
    const start = columns[column].type === "number" ? -1 : 1;
    order = { column, sign: order.column === column ? -order.sign : start };
    [...head.children].forEach((th, i) => {
      if (i !== column) th.removeAttribute("aria-sort");
      else th.setAttribute("aria-sort", order.sign > 0 ? "ascending" : "descending");
    });
    select();
  };

  columns.forEach((column, i) => {
    const th = document.createElement("th");
    const button = document.createElement("button");
    th.scope = "col";
    if (column.type === "text") th.className = "text";
    button.type = "button";
    button.textContent = column.label;
    button.addEventListener("click", () => sortBy(i));
    th.append(button);
    head.append(th);
  });
  const turn = (step) => () => {
    page += step;
    draw();
  };
  byId("filter").addEventListener("input", select);
  byId("previous").addEventListener("click", turn(-1));
  byId("next").addEventListener("click", turn(1));
  draw();
})();
