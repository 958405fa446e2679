"use strict";
// Charts drawn as SVG at the width they have, again when that changes. No library, no network.
const DATA = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const COLOURS = 8, DASHES = ["", "6 3", "2 3"], SHOWN_AT_FIRST = 6;
const MARGIN = { left: 52, right: 12, top: 8, bottom: 34 };

function svg(name, attributes = {}, text = null) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== null) node.textContent = text;
  return node;
}
const element = (name, text = null) => Object.assign(document.createElement(name), text === null ? {} : { textContent: text });
const missing = (value) => value === null || value === undefined || Number.isNaN(value);
const bare = (text) => text.replace(/^([+-]?)0\./, "$1.").replace("-", "−");
const number = (value, digits = 4) => missing(value) ? "–" : bare(value.toFixed(digits));
const signed = (value, digits = 4) => missing(value) ? "–" : bare((value > 0 ? "+" : "") + value.toFixed(digits));
const percent = (value) => missing(value) ? "–" : `${(100 * value).toFixed(1)} %`;
const p = (value) => missing(value) ? "–" : value < 0.001 ? "< .001" : value > 0.9995 ? "1" : number(value, 3);
const short = (value) => missing(value) ? "–" : Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en")
  : bare(String(+value.toPrecision(4)));

// Ticks at round places.
function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most) || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(+(k * step).toPrecision(12));
  return found;
}
function logTicks(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const factor of [1, 2, 5]) found.push(factor * 10 ** e);
  const inside = found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  return inside.length > 6 ? inside.filter((value) => Number.isInteger(Math.log10(value) + 1e-12) || Math.abs(Math.log10(value) % 1) < 1e-9) : inside;
}

function frame(box, { xs, ys, xLabel, log = false, height = 270, zero = false, whole = false, head = 0.06 }) {
  box.replaceChildren();
  const width = Math.max(240, box.clientWidth);
  const canvas = box.appendChild(svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": xLabel }));
  if (!xs.length) {
    canvas.append(svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "nothing to draw for the models chosen"));
    return null;
  }
  let [x0, x1] = [Math.min(...xs), Math.max(...xs)], [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  if (zero) y0 = Math.min(0, y0);
  const pad = (y1 - y0 || Math.abs(y1) || 1) * 0.06;
  if (!zero) y0 -= pad;
  y1 += (pad / 0.06) * head;
  if (log) { x0 = Math.max(x0, 1e-6) / 1.15; x1 = Math.max(x1, 1e-6) * 1.15; }
  else { const side = (x1 - x0 || Math.abs(x1) || 1) * 0.03; x0 -= side; x1 += side; }
  const to = log ? Math.log : (value) => value;
  const inner = width - MARGIN.left - MARGIN.right, tall = height - MARGIN.top - MARGIN.bottom;
  const x = (value) => MARGIN.left + inner * (to(Math.max(value, log ? 1e-6 : -Infinity)) - to(x0)) / (to(x1) - to(x0));
  const y = (value) => MARGIN.top + tall * (1 - (value - y0) / (y1 - y0));
  for (const tick of ticks(y0, y1, 5)) {
    canvas.append(svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }));
    canvas.append(svg("text", { x: MARGIN.left - 6, y: y(tick) + 4, "text-anchor": "end" }, short(tick)));
  }
  const bottom = height - MARGIN.bottom;
  canvas.append(svg("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: bottom, y2: bottom }));
  const places = log ? logTicks(x0, x1) : ticks(x0, x1, Math.min(8, inner / 70)).filter((tick) => !whole || Number.isInteger(tick));
  for (const tick of places) {
    canvas.append(svg("line", { class: "axis", x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4 }));
    canvas.append(svg("text", { x: x(tick), y: bottom + 16, "text-anchor": "middle" }, short(tick)));
  }
  canvas.append(svg("text", { x: width - MARGIN.right, y: height - 3, "text-anchor": "end" }, xLabel));
  return { canvas, x, y, width, height, bottom };
}

const tip = document.getElementById("tip");
function tell(node, text) {
  const show = (event) => {
    tip.textContent = text;
    tip.hidden = false;
    const { clientX: left, clientY: top } = event;
    tip.style.left = `${Math.max(6, Math.min(left + 12, innerWidth - tip.offsetWidth - 8))}px`;
    tip.style.top = `${Math.max(6, top - tip.offsetHeight - 10)}px`;
  };
  node.addEventListener("pointerenter", show);
  node.addEventListener("pointermove", show);
  node.addEventListener("pointerleave", () => { tip.hidden = true; });
}

class Block {
  constructor(root) {
    this.root = root;
    this.data = DATA.blocks[root.dataset.block];
    this.models = [...new Set([...this.data.models, ...this.data.curves.map((curve) => curve.model)])];
    const learning = new Set(this.data.curves.filter((curve) => curve.epoch.length > 1).map((curve) => curve.model));
    this.first = [...this.models.slice(0, SHOWN_AT_FIRST), ...this.models.filter((model) => learning.has(model)).slice(0, 4),
      ...this.models.slice(this.data.models.length)]; // the best, the best that learn by epochs, and what still runs
    this.shown = new Set(this.first);
    this.legend();
    this.choices();
    this.draw();
  }
  find(selector) { return this.root.querySelector(selector); }
  style(model) {
    const place = this.models.indexOf(model);
    return { stroke: `var(--c${place % COLOURS})`, "stroke-dasharray": DASHES[Math.floor(place / COLOURS) % DASHES.length] };
  }
  legend() {
    const box = this.find("[data-legend]");
    for (const model of this.models) {
      const button = box.appendChild(element("button"));
      button.type = "button";
      const mark = button.appendChild(svg("svg", { width: 20, height: 8 }));
      mark.append(svg("line", { x1: 0, x2: 20, y1: 4, y2: 4, "stroke-width": 3, ...this.style(model) }));
      button.append(model);
      button.dataset.model = model;
      button.addEventListener("click", () => {
        this.shown.has(model) ? this.shown.delete(model) : this.shown.add(model);
        this.press();
      });
    }
    this.find("[data-all]").addEventListener("click", () => {
      this.shown = new Set(this.shown.size < this.models.length ? this.models : this.first);
      this.press();
    });
    this.press(false);
  }
  press(draw = true) {
    for (const button of this.root.querySelectorAll("[data-model]")) button.setAttribute("aria-pressed", this.shown.has(button.dataset.model));
    if (draw) this.draw();
  }
  choices() {
    this.find("[data-y]").addEventListener("change", () => this.draw());
    this.find("[data-x]").addEventListener("change", () => this.draw());
    const { models } = this.data.pairs, [a, b] = [this.find("[data-a]"), this.find("[data-b]")];
    if (a) {
      for (const select of [a, b]) {
        models.forEach((model, place) => select.append(new Option(model, place)));
        select.addEventListener("change", () => this.pair());
      }
      b.value = models.length > 1 ? 1 : 0;
    }
    const worst = this.find("[data-worst]");
    if (worst) {
      Object.keys(this.data.worst).forEach((model) => worst.append(new Option(model)));
      worst.addEventListener("change", () => this.worst());
      this.worst();
    }
  }
  draw() {
    const curves = this.data.curves.filter((curve) => this.shown.has(curve.model));
    const what = this.find("[data-y]").value;
    this.lines("curves", curves, "epoch", what, { xLabel: "epoch", whole: true });
    this.lines("time", curves, "seconds", "best", { xLabel: "seconds, log scale", log: true });
    this.points();
    if (this.find("[data-a]")) this.pair();
  }
  lines(name, curves, across, up, options) {
    const kept = curves.filter((curve) => curve[up].length && curve[up].some((value) => !missing(value)));
    const drawn = frame(this.find(`[data-chart=${name}]`), {
      xs: kept.flatMap((curve) => curve[across]), ys: kept.flatMap((curve) => curve[up].filter((value) => !missing(value))), ...options,
    });
    if (!drawn) return;
    for (const curve of kept) {
      const style = this.style(curve.model);
      const places = curve[up].map((value, k) => [curve[across][k], value]).filter(([, value]) => !missing(value));
      const told = `${curve.label}: ${short(places.at(-1)[1])} at ${options.log ? short(places.at(-1)[0]) + " s" : "epoch " + places.at(-1)[0]}`;
      const path = places.map(([x, y], k) => `${k ? "L" : "M"}${drawn.x(x).toFixed(1)} ${drawn.y(y).toFixed(1)}`).join("");
      const end = places.at(-1);
      drawn.canvas.append(svg("path", { d: path, fill: "none", "stroke-width": 1.8, "stroke-linejoin": "round", opacity: .9, ...style }));
      drawn.canvas.append(svg("circle", { cx: drawn.x(end[0]), cy: drawn.y(end[1]), r: 3.2, fill: style.stroke }));
      const target = drawn.canvas.appendChild(svg("path", { d: `${path}l.01 0`, fill: "none", stroke: "transparent", "stroke-width": 14, "stroke-linecap": "round" }));
      tell(target, told);
    }
  }
  points() {
    const across = this.find("[data-x]").value, label = this.data.points.axes[across];
    const rows = this.data.points.rows.filter((row) => this.shown.has(row.model) && !missing(row[across]) && !missing(row.y));
    const positive = rows.map((row) => row[across]).filter((value) => value > 0);
    const log = ["seconds", "parameters"].includes(across) && positive.length === rows.length && Math.max(...positive) > 10 * Math.min(...positive);
    const drawn = frame(this.find("[data-chart=points]"), {
      xs: rows.map((row) => row[across]), ys: rows.flatMap((row) => [row.y - (row.spread || 0), row.y + (row.spread || 0)]),
      xLabel: label + (log ? ", log scale" : ""), log, height: 300,
    });
    if (!drawn) return;
    const taken = rows.map((row) => ({ left: drawn.x(row[across]) - 6, right: drawn.x(row[across]) + 6, top: drawn.y(row.y) - 6, bottom: drawn.y(row.y) + 6 }));
    for (const row of rows) {
      const [x, y] = [drawn.x(row[across]), drawn.y(row.y)], fill = this.style(row.model).stroke;
      if (row.spread) drawn.canvas.append(svg("line", { x1: x, x2: x, y1: drawn.y(row.y - row.spread), y2: drawn.y(row.y + row.spread), stroke: fill, "stroke-width": 1.5 }));
      tell(drawn.canvas.appendChild(svg("circle", { cx: x, cy: y, r: 5, fill })), `${row.model}: ${number(row.y)} at ${short(row[across])}`);
      this.name(drawn, row.model, x, y, taken);
    }
  }
  // Beside its point where there is room; a name that would lie on another is left to the tip.
  name(drawn, model, x, y, taken) {
    const text = model.length > 34 ? `${model.slice(0, 33)}…` : model;
    const label = drawn.canvas.appendChild(svg("text", { class: "ink", y: 0 }, text)), wide = label.getComputedTextLength();
    for (const [dx, dy] of [[9, 4], [-9 - wide, 4], [-wide / 2, -9], [-wide / 2, 18], [6, -7], [6, 16]]) {
      const box = { left: x + dx, right: x + dx + wide, top: y + dy - 11, bottom: y + dy + 3 };
      const inside = box.left >= MARGIN.left && box.right <= drawn.width && box.top >= 0 && box.bottom <= drawn.bottom - 2;
      if (!inside || taken.some((other) => box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top)) continue;
      taken.push(box);
      label.setAttribute("x", box.left);
      label.setAttribute("y", y + dy);
      return;
    }
    label.remove();
  }
  pair() {
    const { rows, models, top, bins } = this.data.pairs, [a, b] = [+this.find("[data-a]").value, +this.find("[data-b]").value];
    const facts = this.find("[data-facts]"), row = rows.find((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
    const box = this.find("[data-chart=pair]");
    facts.replaceChildren();
    box.replaceChildren();
    if (!row) { box.append(element("p", "Choose two different models.")); return; }
    const turned = row.a !== a, counts = turned ? [...row.counts].reverse() : row.counts, sign = turned ? -1 : 1;
    const ties = counts[bins], sides = counts.filter((_, k) => k !== bins), most = Math.max(1, ...sides);
    const drawn = frame(box, { xs: [-top, top], ys: [0, most], xLabel: `difference in ${this.data.metric} of one user`, zero: true, height: 240, head: 0.18 });
    const width = top / bins;
    sides.forEach((count, k) => {
      const left = drawn.x(-top + k * width), right = drawn.x(-top + (k + 1) * width), y = drawn.y(count);
      const bar = svg("rect", { x: left + 1, width: Math.max(1, right - left - 2), y, height: drawn.bottom - y, fill: `var(--c${k < bins ? 1 : 0})` });
      tell(drawn.canvas.appendChild(bar), `${count} users, ${signed(-top + k * width, 2)} to ${signed(-top + (k + 1) * width, 2)}`);
    });
    drawn.canvas.append(svg("line", { class: "axis", x1: drawn.x(0), x2: drawn.x(0), y1: MARGIN.top, y2: drawn.bottom }));
    drawn.canvas.append(svg("text", { class: "ink", x: drawn.x(0) - 8, y: 18, "text-anchor": "end" }, "← second is better"));
    drawn.canvas.append(svg("text", { class: "ink", x: drawn.x(0) + 8, y: 18 }, "first is better →"));
    const [low, high] = turned ? [-row.high, -row.low] : [row.low, row.high];
    const [better, worse] = turned ? [row.worse, row.better] : [row.better, row.worse];
    const told = [
      ["mean difference", signed(sign * row.mean)], ["95 % interval", `${signed(low)} to ${signed(high)}`],
      ["p, corrected", p(row.holm)], ["p: randomisation, t, Wilcoxon", `${p(row.randomisation)}, ${p(row.t_test)}, ${p(row.wilcoxon)}`],
      ["effect (Cohen's d)", signed(missing(row.effect) ? null : sign * row.effect, 3)], ["first better", percent(better)], ["second better", percent(worse)],
      ["equal (not drawn)", `${ties.toLocaleString("en")} of ${row.n.toLocaleString("en")}`],
    ];
    for (const [term, value] of told) {
      const entry = facts.appendChild(element("div"));
      entry.append(element("dt", term), element("dd", value));
    }
  }
  worst() {
    const rows = this.data.worst[this.find("[data-worst]").value], table = this.find("[data-worst-table]");
    table.replaceChildren();
    if (!rows.length) { table.append(element("caption", "It falls behind the others for no user.")); return; }
    const columns = [["user", "user", String, "name"], ["metric", this.data.metric, number], ["others", "others' mean", number],
      ["history", "history", short], ["wanted", "wanted", (names) => names.join("; "), "text"], ["popularity", "in training", short]]
      .filter(([key]) => key in rows[0]);
    const head = table.appendChild(element("thead")).appendChild(element("tr"));
    for (const [, title, , kind] of columns) head.appendChild(element("th", title)).className = kind || "";
    const body = table.appendChild(element("tbody"));
    for (const row of rows) {
      const line = body.appendChild(element("tr"));
      for (const [key, , write, kind] of columns) line.appendChild(element("td", missing(row[key]) ? "–" : write(row[key]))).className = kind || "";
      if (row.recent) body.append(this.lists(row, columns.length));
    }
  }
  lists(row, width) {
    const line = element("tr"), cell = line.appendChild(element("td"));
    line.className = "lists";
    cell.colSpan = width;
    cell.append(element("b", "had last "), row.recent.join("; "));
    if (!row.top.length) return line;
    cell.append(element("br"), element("b", "was shown "));
    row.top.forEach(([name, wanted], k) => cell.append(`${k ? "; " : ""}${k + 1}. `, wanted ? element("mark", name) : name));
    return line;
  }
}

function ranks(box) {
  const { ranks: byModel, difference, groups } = DATA.diagram, names = Object.keys(byModel);
  const width = Math.max(240, box.clientWidth), row = 24, top = 56, height = top + row * names.length + 6;
  const left = Math.min(230, width * 0.44), right = width - 14, count = names.length;
  box.replaceChildren();
  const canvas = box.appendChild(svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": "mean ranks" }));
  const x = (rank) => left + (right - left) * (rank - 1) / Math.max(1, count - 1);
  for (let rank = 1; rank <= count; rank++) {
    canvas.append(svg("line", { class: "grid", x1: x(rank), x2: x(rank), y1: top - 8, y2: height }));
    if (count <= 12 || rank % 2) canvas.append(svg("text", { x: x(rank), y: top - 13, "text-anchor": "middle" }, rank));
  }
  canvas.append(svg("line", { x1: x(1), x2: Math.min(right, x(1 + difference)), y1: 12, y2: 12, stroke: "var(--soft)", "stroke-width": 3 }));
  canvas.append(svg("text", { x: x(1), y: 28 }, `critical difference ${number(difference, 2)}`));
  names.forEach((model, k) => {
    const y = top + row * k + row / 2, text = model.length * 6.6 > left ? `${model.slice(0, Math.floor(left / 6.6) - 1)}…` : model;
    tell(canvas.appendChild(svg("text", { class: "ink", x: 0, y: y + 4 }, text)), `${model}: mean rank ${number(byModel[model], 2)}`);
    canvas.append(svg("circle", { cx: x(byModel[model]), cy: y, r: 5, fill: "var(--c0)" }));
  });
  groups.forEach((group, k) => {
    const ends = [byModel[group[0]], byModel[group.at(-1)]], y = top + row * names.indexOf(group[0]) + row / 2 + 9 + (k % 2) * 4;
    canvas.append(svg("line", { x1: x(ends[0]) - 5, x2: x(ends[1]) + 5, y1: y, y2: y, stroke: "var(--c1)", "stroke-width": 4, "stroke-linecap": "round", opacity: .8 }));
  });
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const sort = (column) => {
    const falling = heads[column].getAttribute("aria-sort") === "descending" || (heads[column].getAttribute("aria-sort") === null && /name|text/.test(heads[column].className));
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", falling ? "ascending" : "descending");
    const key = (row) => { const cell = row.cells[column], value = cell.dataset.v; return value === undefined ? cell.textContent.trim() : value === "" ? NaN : parseFloat(value); };
    const rows = [...table.tBodies[0].rows].map((row) => [key(row), row]);
    const direction = falling ? 1 : -1;
    rows.sort(([one], [other]) => {
      if (typeof one === "string" || typeof other === "string") return direction * String(one).localeCompare(String(other), "en", { numeric: true });
      return Number.isNaN(one) - Number.isNaN(other) || direction * (one - other) || 0; // what is missing stands last
    });
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    head.addEventListener("click", () => sort(column));
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(column); });
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);
const blocks = [...document.querySelectorAll(".block")].map((root) => new Block(root));
const all = () => { blocks.forEach((block) => block.draw()); document.querySelectorAll("[data-chart=ranks]").forEach(ranks); };
document.querySelectorAll("[data-chart=ranks]").forEach(ranks);
let width = innerWidth, waiting = 0;
addEventListener("resize", () => {
  if (innerWidth === width) return; // a phone's address bar changes the height alone
  width = innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(all, 120);
});
