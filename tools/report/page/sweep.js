/* The page of a sweep: its table, and its runs side by side. */

const isNumber = (text) => text !== "" && isFinite(Number(text));
const measured = ["test_loss", "test_bce", "test_kl", "parameters", "seconds", "images_per_s"];

/* The table's columns and lines; `factors` are the columns between the name and what was measured. */
function resultsOf(results) {
  const columns = results.columns, name = (c) => columns.indexOf(c), first = columns.findIndex((c) => measured.includes(c));
  const factors = columns.slice(1, first < 0 ? columns.length : first), loss = name(data.response || "test_loss") >= 0 ? name(data.response || "test_loss") : name("test_loss");
  const rows = results.rows.map((cells) => ({ name: cells[0], cells, loss: loss >= 0 && isNumber(cells[loss]) ? Number(cells[loss]) : NaN }));
  const varying = factors.filter((f) => new Set(rows.map((r) => r.cells[name(f)])).size > 1);
  return { columns, rows, factors, varying, loss, at: name };
}

const cellText = (column, text) => {
  if (!isNumber(text) || column === "config") return text;
  if (column === "parameters" || column === "images_per_s") return count(Number(text));
  return measured.includes(column) ? number(Number(text)) : text;
};

function showTable(of, chosen) {
  let sort = of.loss, up = true, words = "";
  /* The loss stands right after the name, so that a phone shows both. */
  const limits = new Map(), place = ([, i]) => (i === 0 ? 0 : i === of.loss ? 1 : 2 + i);
  const columns = of.columns.map((c, i) => [c, i]).filter(([c]) => c !== "run" && (!of.factors.includes(c) || of.varying.includes(c))).sort((a, b) => place(a) - place(b));
  const body = h("tbody"), said = h("output", { "aria-live": "polite" });
  const losses = of.rows.map((r) => r.loss).filter(finite), low = Math.min(...losses), high = Math.max(...losses);
  const compare = (a, b) => {
    const x = a.cells[sort], y = b.cells[sort], both = isNumber(x) && isNumber(y);
    return (up ? 1 : -1) * (both ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0);
  };
  const heads = columns.map(([c, i]) => h("th", { scope: "col", class: measured.includes(c) ? "number" : null },
    h("button", { type: "button", onclick: () => { up = sort === i ? !up : true; sort = i; show(); } }, c.replaceAll("_", " "))));
  const row = (r) => {
    const box = h("input", { type: "checkbox", "aria-label": "compare " + r.name, onchange: () => chosen.toggle(r) });
    box.checked = chosen.has(r);
    return h("tr", { class: chosen.has(r) ? "on" : null }, h("td", {}, box), columns.map(([c, i]) => c === "config"
      ? h("th", { scope: "row", class: "mono" }, r.name)
      : h("td", { class: measured.includes(c) ? "number" : null }, cellText(c, r.cells[i]), i === of.loss && finite(r.loss) && h("span", { class: "bar", "aria-hidden": "true", style: `--long:${(0.3 + 3.2 * (high > low ? (r.loss - low) / (high - low) : 0)).toFixed(2)}rem` }))));
  };
  function show() {
    const shown = of.rows.filter((r) => (words === "" || r.cells.join(" ").toLowerCase().includes(words)) && [...limits].every(([i, v]) => v === "" || r.cells[i] === v)).sort(compare);
    heads.forEach((head, k) => { if (columns[k][1] === sort) head.setAttribute("aria-sort", up ? "ascending" : "descending"); else head.removeAttribute("aria-sort"); });
    body.replaceChildren(...shown.map(row));
    said.textContent = shown.length === of.rows.length ? plural(shown.length, "run") : `${shown.length} of ${plural(of.rows.length, "run")}`;
  }
  chosen.hear(show);
  const pick = (f) => {
    const i = of.at(f), levels = [...new Set(of.rows.map((r) => r.cells[i]))].sort((a, b) => (isNumber(a) && isNumber(b) ? a - b : a < b ? -1 : 1));
    return h("label", {}, f, h("select", { onchange: (event) => { limits.set(i, event.target.value); show(); } }, h("option", { value: "" }, "all"), levels.map((l) => h("option", { value: l }, l))));
  };
  show();
  section("table", "All runs", "Sort by a column's name; tick runs to see them side by side below.",
    h("div", { class: "row controls" }, h("label", {}, "Find", h("input", { type: "search", oninput: (event) => { words = event.target.value.trim().toLowerCase(); show(); } })), of.varying.filter((f) => f !== "config").map(pick)), said,
    h("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Table of all runs" }, h("table", { class: "data runs" }, h("caption", { class: "hidden" }, "A row a run"), h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hidden" }, "compare")), heads)), body)));
}

/* --- side by side --- */
const curves = [["Test loss", 4], ["Training loss", 1], ["Test cross-entropy", 5], ["Test KL divergence", 6]];
function sideBySide(of, chosen) {
  let which = 0;
  const chart = h("div"), columns = h("div", { class: "columns" });
  const runOf = (r) => (data.runs || {})[r.name];
  const ink = (i) => colour(i % 8);
  function column(r, i, all) {
    const run = runOf(r), value = (c) => r.cells[of.at(c)], differs = (c) => new Set(all.map((x) => x.cells[of.at(c)])).size > 1;
    const lossNames = measured.filter((c) => of.at(c) >= 0), best = Math.min(...all.map((x) => x.loss));
    return h("div", { class: "column", style: `--run:${ink(i)}` }, h("h3", { class: "mono" }, r.name),
      h("dl", {}, [...of.varying, ...lossNames].map((c) => [h("dt", {}, c.replaceAll("_", " ")), h("dd", { class: c === of.columns[of.loss] && r.loss === best && all.length > 1 ? "better" : differs(c) && of.varying.includes(c) ? "differs" : null }, cellText(c, value(c)))])),
      run && run.curve.length === 0 && h("p", { class: "small" }, "No curve: its folder has no epoch in metrics.csv or a checkpoint."),
      run && run.sprite && h("ul", { class: "pairs" }, Array.from({ length: Math.min(6, run.sprite.count / 2) }, (_, k) => h("li", { class: "pair" }, h("span", { class: "two" }, tile(run.sprite, 2 * k, 42, `test image ${k + 1}`), tile(run.sprite, 2 * k + 1, 42, "its reconstruction"))))),
      h("button", { type: "button", class: "no-print", style: "margin-top:.75rem", onclick: () => chosen.toggle(r), "aria-label": "remove " + r.name }, "Remove"));
  }
  function show() {
    const all = chosen.list(), with_curves = all.filter((r) => runOf(r) && runOf(r).curve.length > 0);
    const xs = [...new Set(with_curves.flatMap((r) => runOf(r).curve.map((row) => row[0])))].filter(finite).sort((a, b) => a - b);
    const series = with_curves.map((r) => ({ name: r.name, colour: ink(all.indexOf(r)), dash: [null, "6 4", "2 3", "9 3 2 3"][all.indexOf(r) % 4],
      values: xs.map((x) => { const row = runOf(r).curve.findLast((c) => c[0] === x); return row ? row[curves[which][1]] : null; }) }));
    chart.replaceChildren(all.length === 0 ? h("p", { class: "small" }, "Tick runs in the table above.") : lineChart({ title: curves[which][0], xName: "epoch", x: xs, series, height: 300 }));
    columns.replaceChildren(...all.map((r, i) => column(r, i, all)));
  }
  chosen.hear(show);
  const ranked = of.rows.filter((r) => finite(r.loss)).sort((a, b) => a.loss - b.loss);
  const quick = (name, list) => h("button", { type: "button", onclick: () => chosen.set(list) }, name);
  section("compare", "Side by side", "The curves, settings and reconstructions of the runs that are ticked.",
    h("div", { class: "row controls" }, quick("Best and worst", [ranked[0], ranked[ranked.length - 1]]), quick("Best four", ranked.slice(0, 4)), quick("All curves", of.rows.slice(0, 64)), quick("None", [])),
    choice("Which curve", curves.map((c) => c[0]), (i) => { which = i; show(); }), chart, columns);
  show();
}

function selection() {
  let list = [];
  const ears = [], tell = () => ears.forEach((f) => f());
  return { has: (r) => list.includes(r), list: () => list, hear: (f) => ears.push(f), set: (rows) => { list = [...new Set(rows.filter(Boolean))]; tell(); },
    toggle: (r) => { list = list.includes(r) ? list.filter((x) => x !== r) : [...list, r]; tell(); } };
}

function sweepStats(of) {
  const ranked = of.rows.filter((r) => finite(r.loss)).sort((a, b) => a.loss - b.loss), config = data.config || {}, seconds = of.rows.reduce((sum, r) => sum + (Number(r.cells[of.at("seconds")]) || 0), 0);
  const failed = data.failed ? data.failed.rows.length : 0, best = ranked[0];
  const levels = (r) => of.varying.map((f) => `${f.replaceAll("_", " ")} ${r.cells[of.at(f)]}`).join(", ");
  stats([
    ["Runs", count(of.rows.length) + (data.configurations > of.rows.length ? ` of ${count(data.configurations)}` : ""), failed ? `${failed} more failed` : config.factors ? of.varying.filter((f) => f !== "seed").join(", ") : null],
    best && ["Best " + of.columns[of.loss].replaceAll("_", " "), number(best.loss), levels(best)],
    ranked.length > 1 && ["Worst", number(ranked[ranked.length - 1].loss), levels(ranked[ranked.length - 1])],
    config.epochs && ["Each run", plural(config.epochs, "epoch"), count(config.train_images) + " images each"],
    seconds > 0 && ["Training time", duration(seconds), "of all runs together"],
  ]);
}

/* The reason stands right after the name, so that a phone shows both. */
function failedTable(of) {
  const last = of.columns.length - 1, order = [0, last, ...of.columns.keys()].filter((c, i) => i < 2 || (c > 0 && c < last));
  return table("Failed", order.map((c) => of.columns[c].replaceAll("_", " ")), of.rows.map((row) => order.map((c) => (c === last ? h("span", { class: "words" }, row[c]) : row[c]))));
}

function showSweep() {
  const config = data.config || {}, of = data.results ? resultsOf(data.results) : null;
  document.getElementById("subtitle").textContent = [config.factors && `A factorial experiment: ${config.factors.replaceAll(",", ", ")}`, config.device && "on " + config.device].filter(Boolean).join(", ");
  if (of) sweepStats(of);
  note("Not all is here", data.missing);
  note("Before you conclude", data.remarks);
  if (of) {
    if (data.analysis) {
      showFactors(data.analysis);
      showPairs(data.analysis);
      showShares(data.analysis);
    }
    const chosen = selection();
    showTable(of, chosen);
    sideBySide(of, chosen);
    const ranked = of.rows.filter((r) => finite(r.loss)).sort((a, b) => a.loss - b.loss);
    chosen.set(ranked.length > 1 ? [ranked[0], ranked[ranked.length - 1]] : ranked);
  }
  if (data.failed && data.failed.rows.length > 0) section("failed", "Failed", "Configurations without a result, and why.", failedTable(data.failed));
  if (data.regression) section("regression", "The regression in full", null, h("details", { "data-print": "open" }, h("summary", {}, "As fovea regress prints it"), h("pre", { tabindex: 0 }, data.regression)));
  showSettings();
}
