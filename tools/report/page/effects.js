/* What factors do: differences from the baseline, means, pairs. One scale for all factors, and one for all pairs. */

const excludesZero = (e) => e && finite(e.conf_int[0]) && finite(e.conf_int[1]) && e.conf_int[0] * e.conf_int[1] > 0;
const interval = (e) => (e && finite(e.conf_int[0]) ? `${number(e.conf_int[0], 3)} to ${number(e.conf_int[1], 3)}` : "–");
const pText = (p) => (!finite(p) ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3));

/* Factors, and numbers that have a mean for each value, as {name, sentence, levels: [{name, mean, difference}]}. */
function factorsOf(analysis) {
  const from = (name, means, differences, sentence) => ({ name, sentence, levels: means.map((mean, i) => ({
    name: mean.name, mean, difference: i === 0 ? null : differences.find((d) => d.name === `${mean.name} - ${means[0].name}`) })) });
  return [...analysis.factors.map((f) => from(f.name, f.means, f.differences || [], f.sentence)),
    ...(analysis.numbers || []).map((n) => from(n.name, n.means || [], n.differences || [], n.fit ? `${n.sentence}; ${n.fit}` : n.sentence))];
}

/* A row a level: on the left its difference from the first level, on the right its mean. */
function factorPlot(factor, differenceScale, meanScale) {
  const rowHeight = 30, names = 116;
  return responsive((width) => {
    const stacked = width < 560, panel = stacked ? width - names - 10 : (width - names - 50) / 2, rows = factor.levels.length;
    const panelHeight = rows * rowHeight + 34, height = stacked ? 2 * panelHeight + 18 : panelHeight;
    const draw = (left, top, scale, title, of, zero) => {
      if (!scale) return null;
      const px = (v) => left + ((v - scale[0]) / (scale[1] - scale[0])) * panel, marks = ticks(scale[0], scale[1], Math.max(2, Math.floor(panel / 80)));
      return [
        s("text", { class: "name", x: left, y: top + 11 }, title),
        marks.map((v) => [s("line", { class: "grid", x1: px(v), x2: px(v), y1: top + 18, y2: top + 18 + rows * rowHeight }), s("text", { x: px(v), y: top + 31 + rows * rowHeight, "text-anchor": "middle" }, tickText(v, marks))]),
        zero && s("line", { class: "zero", x1: px(0), x2: px(0), y1: top + 18, y2: top + 18 + rows * rowHeight }),
        factor.levels.map((level, i) => {
          const e = of(level), y = top + 18 + (i + 0.5) * rowHeight, strong = !zero || excludesZero(e), ink = zero && strong ? "var(--accent)" : zero ? "var(--muted)" : "var(--ink)";
          if (zero && i === 0) return s("text", { x: px(0) + 7, y: y + 4 }, "baseline");
          if (!e || !finite(e.value)) return null;
          return [finite(e.conf_int[0]) && s("line", { x1: px(e.conf_int[0]), x2: px(e.conf_int[1]), y1: y, y2: y, stroke: ink, "stroke-width": 2.5, "stroke-linecap": "round", opacity: strong ? 1 : 0.75 }),
            s("circle", { cx: px(e.value), cy: y, r: 5, fill: strong ? ink : "var(--card)", stroke: ink, "stroke-width": 2 })];
        })];
    };
    const label = (top) => factor.levels.map((level, i) => s("text", { class: "name", x: names - 12, y: top + 18 + (i + 0.5) * rowHeight + 4, "text-anchor": "end" }, level.name.length > 15 ? level.name.slice(0, 14) + "…" : level.name));
    return s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, label(0), stacked && label(panelHeight + 18),
      draw(names, 0, differenceScale, "difference from " + (factor.levels[0] ? factor.levels[0].name : ""), (l) => l.difference, true),
      draw(stacked ? names : names + panel + 40, stacked ? panelHeight + 18 : 0, meanScale, "mean " + data.response.replaceAll("_", " "), (l) => l.mean, false));
  });
}

function showFactors(analysis) {
  const factors = factorsOf(analysis);
  if (factors.length === 0) return;
  const ends = (e) => (e && finite(e.value) ? [e.value, ...(e.conf_int || [])] : []);
  const differences = scaleOf([0, ...factors.flatMap((f) => f.levels.flatMap((l) => ends(l.difference)))]), means = scaleOf(factors.flatMap((f) => f.levels.flatMap((l) => ends(l.mean))));
  const percent = Math.round(100 * (1 - (data.alpha || 0.05)));
  section("factors", "What helped", `Differences and means of the ${data.response.replaceAll("_", " ")}; lower is better. Bars are ${percent}% intervals${analysis.adjustment === "none" ? "" : ", of differences held together for all of a factor"}: a filled blue dot is a difference that noise does not explain.`,
    factors.map((f) => h("div", { class: "factor" }, h("h3", {}, f.name), h("p", {}, f.sentence ? f.sentence[0].toUpperCase() + f.sentence.slice(1) + "." : null),
      f.levels.length > 0 && h("figure", {}, h("figcaption", { class: "hidden" }, f.name + ": differences and means"), factorPlot(f, differences, means),
        h("details", {}, h("summary", {}, "Values as a table"), table(f.name, ["Level", "Mean", "Interval", "Difference", "Interval", "p"],
          f.levels.map((l) => [l.name, number(l.mean.value), interval(l.mean), l.difference ? number(l.difference.value, 3) : "baseline", interval(l.difference), l.difference ? pText(l.difference.p_value) : "–"]), (i) => i > 0))))));
}

/* --- pairs --- */
function pairPlot(pair, scale) {
  const lines = pair.line_levels.length, cell = (a, l) => pair.cells[a * lines + l];
  return responsive((width) => {
    const margin = { left: 50, right: 12, top: 8, bottom: 26 }, height = 190, w = width - margin.left - margin.right, t = height - margin.top - margin.bottom;
    const n = pair.across_levels.length, px = (i, l) => margin.left + ((i + 0.5) / n) * w + (l - (lines - 1) / 2) * 5, py = (v) => margin.top + t - ((v - scale[0]) / (scale[1] - scale[0])) * t, marks = ticks(scale[0], scale[1], 4);
    return s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      marks.map((v) => [s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: py(v), y2: py(v) }), s("text", { x: margin.left - 7, y: py(v) + 4, "text-anchor": "end" }, tickText(v, marks))]),
      pair.across_levels.map((level, i) => s("text", { x: margin.left + ((i + 0.5) / n) * w, y: height - 8, "text-anchor": "middle" }, level)),
      pair.line_levels.map((level, l) => {
        const points = pair.across_levels.map((_, a) => cell(a, l)), good = points.map((c) => c && finite(c[0]));
        return [s("path", { class: "line", stroke: colour(l), "stroke-dasharray": l % 2 ? "6 4" : null, d: points.map((c, a) => (good[a] ? `${a > 0 && good[a - 1] ? "L" : "M"}${px(a, l)} ${py(c[0])}` : "")).join("") }),
          points.map((c, a) => good[a] && [finite(c[1]) && s("line", { x1: px(a, l), x2: px(a, l), y1: py(c[1]), y2: py(c[2]), stroke: colour(l), "stroke-width": 1.5, opacity: 0.5 }), s("path", { d: marker(l, px(a, l), py(c[0]), 4), fill: colour(l) })])];
      }));
  });
}
function showPairs(analysis) {
  const pairs = (analysis.cells || []).filter((p) => p.cells.some((c) => finite(c[0])));
  if (pairs.length === 0) return;
  const scale = scaleOf(pairs.flatMap((p) => p.cells.flat()).filter(finite)), alpha = data.alpha || 0.05;
  const panel = (p) => h("figure", { class: "panel" }, h("figcaption", {}, `${p.across} × ${p.lines}`), pairPlot(p, scale),
    h("ul", { class: "legend" }, p.line_levels.map((level, l) => h("li", {}, s("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, s("line", { x1: 1, x2: 23, y1: 6, y2: 6, stroke: colour(l), "stroke-width": 2, "stroke-dasharray": l % 2 ? "6 4" : null }), s("path", { d: marker(l, 12, 6, 3.5), fill: colour(l) })), `${p.lines} ${level}`))),
    h("p", { class: "small" }, p.p < alpha ? h("strong", {}, `They matter together, p ${pText(p.p)}.`) : finite(p.p) ? `Together no more than noise, p ${pText(p.p)}.` : "Whether they matter together cannot be told."),
    h("details", {}, h("summary", {}, "Values as a table"), table(`${p.across} and ${p.lines}`, [p.across, ...p.line_levels], p.across_levels.map((level, a) => [level, ...p.line_levels.map((_, l) => number(p.cells[a * p.line_levels.length + l][0]))]), (i) => i > 0)));
  section("pairs", "Pairs of factors", `Means of the ${data.response.replaceAll("_", " ")} at each pair of levels, with intervals, all on one scale. Where lines are not parallel, what one factor does depends on the other.`, h("div", { class: "panels" }, pairs.map(panel)));
}

function showShares(analysis) {
  const shares = Object.entries(analysis.shares || {}).filter(([name, v]) => finite(v) && name !== "errors alone").sort((a, b) => b[1] - a[1]), noise = (analysis.shares || {})["errors alone"];
  if (shares.length === 0) return;
  section("shares", "Parts of the variance", "How much of the difference between configurations each factor and each pair makes." + (finite(noise) ? ` Errors alone would make ${(100 * noise).toFixed(0)}% on average.` : ""),
    table("Parts of the variance", ["Factor or pair", "Part"], shares.map(([name, v]) => [name.replace(":", " × "), [h("span", { class: "mono" }, (100 * v).toFixed(1) + "%"), h("span", { class: "bar", style: `--long:${(16 * v).toFixed(2)}rem`, "aria-hidden": "true" })]])));
}
