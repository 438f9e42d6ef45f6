/* The latent space: codes of test images, and what lies between them. */

function showLatent() {
  const points = data.images && data.images.points;
  if (!points || points.labels.length === 0) return;
  const n = points.labels.length, numbers = points.numbers, value = (i, k) => (numbers > k ? points.mu[i * numbers + k] : 0);
  const labels = [...new Set(points.labels)].sort((a, b) => a - b), place = new Map(labels.map((l, i) => [l, l < 0 ? -1 : i]));
  let axes = [0, 1], only = null, at = -1, positions = [], ring = null, reach = null;

  const look = h("div", { class: "look" }, h("p", { class: "small" }, "Move over a point, or use the arrow keys, to see its image and reconstruction."));
  const said = h("output", { class: "hidden", "aria-live": "polite" });
  const big = [tile(points.originals, 0, 112), tile(points.reconstructions, 0, 112)], about = h("p", { class: "small" });
  const shown = [h("div", { class: "two" }, h("figure", {}, big[0], h("figcaption", { class: "small" }, "image")), h("figure", {}, big[1], h("figcaption", { class: "small" }, "reconstruction"))), about];
  function go(i) {
    at = i;
    if (ring) ring.setAttribute("visibility", i < 0 ? "hidden" : "visible");
    if (i < 0) return;
    if (ring) fill(ring, { cx: positions[i][0], cy: positions[i][1] }, []);
    aim(big[0], points.originals, i, 112);
    aim(big[1], points.reconstructions, i, 112);
    const text = `${points.labels[i] < 0 ? "" : "Class " + className(points.labels[i]) + "; "}code ${Array.from({ length: numbers }, (_, k) => number(value(i, k), 3)).join(", ")}; cross-entropy ${number(points.bce[i], 3)}, ${number(points.excess[i], 3)} above the image's entropy`;
    about.textContent = said.textContent = text;
    look.replaceChildren(...shown);
  }

  function draw(width) {
    const margin = { left: 46, right: 10, top: 8, bottom: 36 }, height = Math.min(width, 560);
    const w = width - margin.left - margin.right, t = height - margin.top - margin.bottom;
    const xScale = scaleOf(Array.from({ length: n }, (_, i) => value(i, axes[0]))), yScale = scaleOf(Array.from({ length: n }, (_, i) => value(i, axes[1]))) || [-1, 1];
    const px = (v) => margin.left + ((v - xScale[0]) / (xScale[1] - xScale[0])) * w, py = (v) => margin.top + t - ((v - yScale[0]) / (yScale[1] - yScale[0])) * t;
    positions = Array.from({ length: n }, (_, i) => [px(value(i, axes[0])), py(value(i, axes[1]))]);
    const xTicks = ticks(xScale[0], xScale[1]), yTicks = numbers > 1 ? ticks(yScale[0], yScale[1]) : [];
    const group = (label) => s("path", { fill: colour(place.get(label)), "fill-opacity": only === null || only === label ? 0.8 : 0.07,
      d: points.labels.map((l, i) => (l === label ? marker(place.get(label), positions[i][0], positions[i][1], 3) : "")).join("") });
    ring = s("circle", { r: 8, fill: "none", stroke: "var(--ink)", "stroke-width": 2, visibility: "hidden" });
    reach = [margin, w, t];
    const svg = s("svg", { class: "plot", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
      yTicks.map((v) => [s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: py(v), y2: py(v) }), s("text", { x: margin.left - 7, y: py(v) + 4, "text-anchor": "end" }, tickText(v, yTicks))]),
      xTicks.map((v) => [s("line", { class: "grid", x1: px(v), x2: px(v), y1: margin.top, y2: margin.top + t }), s("text", { x: px(v), y: height - 19, "text-anchor": "middle" }, tickText(v, xTicks))]),
      s("text", { x: margin.left + w / 2, y: height - 3, "text-anchor": "middle" }, `number ${axes[0] + 1} of the code`),
      numbers > 1 && s("text", { x: 12, y: margin.top + t / 2, "text-anchor": "middle", transform: `rotate(-90 12 ${margin.top + t / 2})` }, `number ${axes[1] + 1}`),
      labels.map(group), ring);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect(), k = width / box.width, x = (event.clientX - box.left) * k, y = (event.clientY - box.top) * k;
      const near = nearest((p) => Math.hypot(p[0] - x, p[1] - y));
      if (near[1] < 24) go(near[0]);
    });
    go(at >= 0 ? at : middle());
    return svg;
  }
  const middle = () => nearest((p) => Math.hypot(p[0] - reach[0].left - reach[1] / 2, p[1] - reach[2] / 2))[0];
  function nearest(distance) {
    let best = -1, least = Infinity;
    positions.forEach((p, i) => {
      if (only !== null && points.labels[i] !== only) return;
      const d = distance(p, i);
      if (d < least) least = d, best = i;
    });
    return [best, least];
  }
  const stage = responsive(draw, { class: "stage", tabindex: 0, role: "group", "aria-label": `Codes of ${n} test images. Arrow keys go to the nearest point that way.` });
  stage.addEventListener("keydown", (event) => {
    const way = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    if (at < 0) return go(middle());
    const from = positions[at];
    const next = nearest((p, i) => {
      const dx = p[0] - from[0], dy = p[1] - from[1], along = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      return i === at || along <= 0 ? Infinity : along + 2 * aside;
    });
    if (next[0] >= 0) go(next[0]);
  });

  const keys = labels[0] >= 0 && labels.length > 1 && labels.length <= 60 && h("ul", { class: "keys", "aria-label": "Classes" }, labels.map((label) => {
    const button = h("button", { type: "button", "aria-pressed": "false", onclick: () => {
      only = only === label ? null : label;
      keys.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", b === button && only !== null ? "true" : "false"));
      stage.redraw();
    } }, s("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, s("path", { fill: colour(place.get(label)), d: marker(place.get(label), 7, 7, 4) })), className(label));
    return h("li", {}, button);
  }));
  const axis = (k, name) => h("label", {}, name, h("select", { onchange: (event) => { axes[k] = Number(event.target.value); stage.redraw(); } },
    Array.from({ length: numbers }, (_, i) => h("option", { value: i, selected: i === axes[k] }, "number " + (i + 1)))));
  const kl = data.images.kl || [], used = kl.filter((x) => x > 0.05).length;
  section("latent", "Latent space", `The mean codes of ${count(n)} test images, coloured by class. ${used} of the code's ${plural(kl.length, "number")} ${used === 1 ? "carries" : "carry"} something: ${kl.slice(0, 8).map((x) => number(x, 2)).join(", ")}${kl.length > 8 ? ", …" : ""} nats each.`,
    numbers > 2 && h("div", { class: "row controls" }, axis(0, "across"), axis(1, "upwards")), h("div", { class: "beside" }, h("div", {}, stage, keys), look), said);
}

/* --- the walk: a grid that was decoded in advance --- */
function showWalk() {
  const walk = data.walk;
  if (!walk || !walk.sprite) return;
  const columns = walk.x.length, rows = Math.max(1, walk.y.length), of = sprite(walk.sprite);
  let column = Math.floor(columns / 2), row = Math.floor(rows / 2);
  const big = tile(of, 0, 196), said = h("output", { "aria-live": "polite" });
  const box = h("span"), img = h("img", { src: `data:image/png;base64,${of.png}`, alt: `${rows * columns} decoded images: the code's first number grows to the right${rows > 1 ? ", its second upwards" : ""}` });
  const map = h("div", { class: "map" }, img, box);
  const slider = (name, most, set, text) => h("input", { type: "range", min: 0, max: most, step: 1, id: name, oninput: (event) => { set(Number(event.target.value)); show(); } });
  const across = slider("walk-x", columns - 1, (v) => { column = v; }), up = slider("walk-y", rows - 1, (v) => { row = rows - 1 - v; });
  function show() {
    aim(big, of, row * columns + column, 196);
    box.style.cssText = `left:${(100 * column) / columns}%;top:${(100 * row) / rows}%;width:${100 / columns}%;height:${100 / rows}%`;
    across.value = column;
    up.value = rows - 1 - row;
    across.setAttribute("aria-valuetext", number(walk.x[column], 3));
    if (rows > 1) up.setAttribute("aria-valuetext", number(walk.y[row], 3));
    said.textContent = `z = ${number(walk.x[column], 3)}${rows > 1 ? ", " + number(walk.y[row], 3) : ""}${walk.latent > 2 ? ", 0, …" : ""}`;
  }
  const move = (event) => {
    const area = map.getBoundingClientRect();
    column = Math.max(0, Math.min(columns - 1, Math.floor(((event.clientX - area.left) / area.width) * columns)));
    row = Math.max(0, Math.min(rows - 1, Math.floor(((event.clientY - area.top) / area.height) * rows)));
    show();
  };
  map.addEventListener("pointermove", move);
  map.addEventListener("pointerdown", move);
  show();
  section("walk", "Walk", `What the decoder makes of codes between ${number(walk.x[0], 2)} and ${number(walk.x[columns - 1], 2)}${walk.latent > 2 ? ` in the first two of its ${walk.latent} numbers, the others 0` : ""}.`,
    h("div", { class: "beside" }, map, h("div", { class: "look" }, big, said, h("div", { class: "controls" }, h("label", { for: "walk-x" }, "first number"), across, rows > 1 && [h("label", { for: "walk-y" }, "second number"), up]))));
}
