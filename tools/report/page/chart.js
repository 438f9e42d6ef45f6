/* Line charts whose values are read by pointer or arrow keys, and stand in a table below. */

/* Some four round numbers between low and high. */
function ticks(low, high, most = 5, whole = false) {
  const rough = whole ? Math.max(1, (high - low) / most) : (high - low) / most || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ((whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).find((m) => m * power >= rough) || 10), list = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) list.push(Math.abs(v) < step / 1e6 ? 0 : v);
  return list;
}
function tickText(v, list) {
  const step = Number((list.length > 1 ? Math.abs(list[1] - list[0]) : Math.abs(v) || 1).toPrecision(6));
  if (step >= 1e6 || (step < 1e-6 && v !== 0)) return v.toExponential(1).replace("-", "−");
  return v.toFixed(Math.max(0, Math.min(8, Math.ceil(-Math.log10(step) - 1e-9 + (String(step).match(/25/) ? 0.5 : 0))))).replace("-", "−");
}

function scaleOf(values, pad = 0.06) {
  const good = values.filter(finite);
  if (good.length === 0) return null;
  let low = good.reduce((a, b) => Math.min(a, b)), high = good.reduce((a, b) => Math.max(a, b));
  const room = (high - low || Math.abs(high) || 1) * pad;
  return [low - room, high + room];
}

/* Draws anew where the width changes: text keeps its size. draw(width) returns an SVG. */
function responsive(draw, attributes = {}) {
  const box = h("div", attributes);
  let width = 0;
  const show = (w) => {
    if (w < 1 || Math.abs(w - width) < 2) return;
    width = w;
    box.replaceChildren(draw(w));
  };
  new ResizeObserver((entries) => requestAnimationFrame(() => show(Math.round(entries[0].contentRect.width)))).observe(box);
  box.redraw = () => { const w = width || 600; width = 0; show(w); };
  return box;
}

/* of: {title, xName, x: [...], series: [{name, values, colour, dash}], height} */
function lineChart(of) {
  const margin = { left: 56, right: 14, top: 10, bottom: 40 }, height = of.height || 240;
  const yScale = scaleOf(of.series.flatMap((l) => l.values)), xs = of.x;
  if (!yScale || xs.length === 0) return h("figure", {}, h("figcaption", {}, of.title), h("p", { class: "small" }, "No values yet."));
  const readout = h("output", { "aria-live": "polite" });
  let at = -1, place = () => {};
  const x0 = xs[0], x1 = xs[xs.length - 1] === x0 ? x0 + 1 : xs[xs.length - 1];

  function draw(width) {
    const w = width - margin.left - margin.right, t = height - margin.top - margin.bottom;
    const px = (v) => margin.left + (xs.length === 1 ? w / 2 : ((v - x0) / (x1 - x0)) * w), py = (v) => margin.top + t - ((v - yScale[0]) / (yScale[1] - yScale[0])) * t;
    const yTicks = ticks(yScale[0], yScale[1]), xTicks = xs.length === 1 ? [x0] : ticks(x0, x1, Math.max(2, Math.floor(w / 60)), true);
    const cross = s("line", { class: "cross", y1: margin.top, y2: margin.top + t, visibility: "hidden" });
    const dots = of.series.map((l) => s("circle", { r: 4, fill: l.colour, stroke: "var(--card)", "stroke-width": 1.5, visibility: "hidden" }));
    place = () => {
      const on = at >= 0 ? "visible" : "hidden";
      cross.setAttribute("visibility", on);
      dots.forEach((d, k) => d.setAttribute("visibility", at >= 0 && finite(of.series[k].values[at]) ? "visible" : "hidden"));
      if (at < 0) return;
      cross.setAttribute("x1", px(xs[at]));
      cross.setAttribute("x2", px(xs[at]));
      of.series.forEach((l, k) => { if (finite(l.values[at])) fill(dots[k], { cx: px(xs[at]), cy: py(l.values[at]) }, []); });
    };
    const path = (l) => l.values.map((v, i) => (finite(v) ? `${i > 0 && finite(l.values[i - 1]) ? "L" : "M"}${px(xs[i]).toFixed(1)} ${py(v).toFixed(1)}` : "")).join("");
    const svg = s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      yTicks.map((v) => [s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: py(v), y2: py(v) }), s("text", { x: margin.left - 8, y: py(v) + 4, "text-anchor": "end" }, tickText(v, yTicks))]),
      xTicks.map((v) => s("text", { x: px(v), y: height - 22, "text-anchor": "middle" }, tickText(v, xTicks))),
      s("text", { x: margin.left + w / 2, y: height - 4, "text-anchor": "middle" }, of.xName),
      of.series.map((l) => s("path", { class: "line", d: path(l), stroke: l.colour, "stroke-dasharray": l.dash })),
      xs.length <= 12 && of.series.map((l) => l.values.map((v, i) => finite(v) && s("circle", { cx: px(xs[i]), cy: py(v), r: 2.5, fill: l.colour }))),
      cross, dots);
    const nearest = (event) => {
      const box = svg.getBoundingClientRect(), v = ((event.clientX - box.left) / box.width) * width;
      let best = 0;
      xs.forEach((x, i) => { if (Math.abs(px(x) - v) < Math.abs(px(xs[best]) - v)) best = i; });
      return best;
    };
    svg.addEventListener("pointermove", (event) => go(nearest(event)));
    svg.addEventListener("pointerleave", () => { if (document.activeElement !== stage) go(-1); });
    place();
    return svg;
  }
  function go(i) {
    at = i;
    place();
    readout.textContent = i < 0 ? "" : `${of.xName} ${xs[i]}: ` + of.series.map((l) => `${l.name} ${number(l.values[i])}`).join(", ");
  }
  const stage = responsive(draw, { class: "stage", tabindex: 0, role: "group", "aria-label": `${of.title}, a chart of ${of.series.length} lines. Arrow keys read values.` });
  stage.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9 }[event.key];
    if (!step) return;
    event.preventDefault();
    go(Math.max(0, Math.min(xs.length - 1, (at < 0 ? (step > 0 ? -1 : xs.length) : at) + step)));
  });
  stage.addEventListener("blur", () => go(-1));
  const key = (l) => h("li", {}, s("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, s("line", { x1: 1, x2: 23, y1: 6, y2: 6, stroke: l.colour, "stroke-width": 2.5, "stroke-dasharray": l.dash })), l.name);
  return h("figure", {}, h("figcaption", {}, of.title), stage, of.series.length > 1 && h("ul", { class: "legend" }, of.series.map(key)), readout,
    of.table !== false && h("details", {}, h("summary", {}, "Values as a table"), table(of.title, [of.xName, ...of.series.map((l) => l.name)], xs.map((x, i) => [String(x), ...of.series.map((l) => number(l.values[i], 5))]), () => true, true)));
}
