/* What all parts use: elements, numbers, sprites, sections, tables. Values reach the page as text only, never as HTML. */
const data = JSON.parse(document.getElementById("data").textContent);
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}
const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const s = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);

/* --- numbers and words --- */
const finite = (x) => typeof x === "number" && isFinite(x);
function number(x, digits = 4) {
  if (!finite(x)) return "–";
  if (x !== 0 && (Math.abs(x) < 1e-4 || Math.abs(x) >= 1e7)) return x.toExponential(2).replace("-", "−");
  const decimals = x === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(x))));
  return x.toFixed(Math.min(decimals, 8)).replace("-", "−");
}
const count = (x) => (finite(x) ? Math.round(x).toString().replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–");
function bytes(x) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (x >= 1024 && unit < 3) x /= 1024, unit++;
  return (unit ? x.toFixed(x < 10 ? 1 : 0) : x) + " " + units[unit];
}
function duration(seconds) {
  if (!finite(seconds)) return "–";
  if (seconds < 100) return number(seconds, 2) + " s";
  const minutes = seconds / 60;
  return minutes < 90 ? Math.round(minutes) + " min" : (minutes / 60).toFixed(1) + " h";
}
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

/* --- colours of classes and runs, which come with shapes, since not all eyes tell all colours --- */
const palette = ["#3f78b5", "#dd5f5f", "#2f9155", "#c9a227", "#3fb3cf", "#a8458c", "#8b8f98", "#e08a4a", "#3da58a", "#7d68c9"];
const shapes = ["circle", "square", "triangle", "diamond", "cross"];
const colour = (i) => (i < 0 ? "#8b8f98" : i < palette.length ? palette[i] : `hsl(${(i * 137.5) % 360} 55% 55%)`);
function marker(i, x, y, r) {
  const shape = i < 0 ? "circle" : shapes[i % shapes.length], f = (v) => v.toFixed(1);
  if (shape === "square") return `M${f(x - r)} ${f(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (shape === "triangle") return `M${f(x)} ${f(y - 1.3 * r)}l${f(1.25 * r)} ${f(2.2 * r)}h${f(-2.5 * r)}z`;
  if (shape === "diamond") return `M${f(x)} ${f(y - 1.4 * r)}l${f(1.4 * r)} ${f(1.4 * r)}l${f(-1.4 * r)} ${f(1.4 * r)}l${f(-1.4 * r)} ${f(-1.4 * r)}z`;
  if (shape === "cross") return `M${f(x - 1.2 * r)} ${f(y - .45 * r)}h${f(.75 * r)}v${f(-.75 * r)}h${f(.9 * r)}v${f(.75 * r)}h${f(.75 * r)}v${f(.9 * r)}h${f(-.75 * r)}v${f(.75 * r)}h${f(-.9 * r)}v${f(-.75 * r)}h${f(-.75 * r)}z`;
  return `M${f(x - r)} ${f(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

/* --- sprites: one rule of the style sheet each, so that the bytes are there once --- */
const sheet = document.head.appendChild(h("style"));
function sprite(of) {
  if (!of || of.name) return of;
  of.name = "sprite" + sheet.sheet.cssRules.length;
  sheet.sheet.insertRule(`.${of.name}{background-image:url(data:image/png;base64,${of.png})}`, sheet.sheet.cssRules.length);
  of.rows = Math.ceil(of.count / of.columns);
  return of;
}
function aim(tile, of, i, size) {
  const k = Math.max(1, Math.round(size / Math.max(of.width, of.height))), w = of.width * k, t = of.height * k;
  tile.style.width = w + "px";
  tile.style.height = t + "px";
  tile.style.backgroundSize = `${w * of.columns}px ${t * of.rows}px`;
  tile.style.backgroundPosition = `${-w * (i % of.columns)}px ${-t * Math.floor(i / of.columns)}px`;
}
function tile(of, i, size, label) {
  const node = h("span", { class: "tile " + sprite(of).name, role: label ? "img" : null, "aria-label": label, "aria-hidden": label ? null : "true" });
  aim(node, of, i, size);
  return node;
}

/* A tile of one row, stretched. */
function strip(of, i, width, height, label) {
  const node = tile(of, i, width, label);
  node.style.cssText = `width:${width}px;height:${height}px;background-size:${width * of.columns}px ${height * of.rows}px;background-position:${-width * (i % of.columns)}px ${-height * Math.floor(i / of.columns)}px`;
  return node;
}

/* --- sections --- */
function section(id, title, lead, ...children) {
  document.getElementById("nav").append(h("li", {}, h("a", { href: "#" + id }, title)));
  const node = h("section", { id, "aria-labelledby": id + "-title" }, h("h2", { id: id + "-title" }, title), lead && h("p", { class: "lead" }, lead), ...children);
  document.getElementById("main").append(node);
  return node;
}
function stats(list) {
  document.getElementById("main").append(
    h("dl", { class: "stats" }, list.filter((x) => x && x[1] !== null).map(([name, value, under]) =>
      h("div", { class: "stat" }, h("dt", {}, name), h("dd", {}, value, under && h("span", { class: "under" }, under))))));
}
function note(title, sentences) {
  if (!sentences || sentences.length === 0) return;
  document.getElementById("main").append(h("div", { class: "note", role: "note" }, h("strong", {}, title), h("ul", {}, sentences.map((x) => h("li", {}, x)))));
}

/* Buttons of which one is pressed; choose(i) is told which. */
function choice(label, names, choose) {
  const buttons = names.map((name, i) => h("button", { type: "button", "aria-pressed": i === 0 ? "true" : "false", onclick: () => press(i) }, name));
  function press(i) {
    buttons.forEach((b, k) => b.setAttribute("aria-pressed", k === i ? "true" : "false"));
    choose(i);
  }
  return h("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

/* A table in a box that scrolls, also by keys. rows: texts or nodes; numeric: which columns are numbers. */
function table(caption, columns, rows, numeric = () => false, tall = false) {
  const cell = (name, value, i, more) => h(name, { class: numeric(i) ? "number" : null, ...more }, value);
  return h("div", { class: "scroll" + (tall ? " tall" : ""), tabindex: 0, role: "region", "aria-label": caption + ", a table" },
    h("table", { class: "data" }, h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map((c, i) => cell("th", c, i, { scope: "col" })))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((value, i) => i === 0 ? cell("th", value, i, { scope: "row" }) : cell("td", value, i)))))));
}
