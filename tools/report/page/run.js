/* The page of a run. */

/* The lines of metrics.csv as numbers, the last of each epoch. */
function epochsOf(table) {
  const rows = new Map();
  for (const row of (table && table.rows) || []) {
    const line = {};
    table.columns.forEach((name, i) => { line[name] = row[i] === "" || isNaN(Number(row[i])) ? null : Number(row[i]); });
    if (finite(line.epoch)) rows.set(line.epoch, line);
  }
  return [...rows.values()].sort((a, b) => a.epoch - b.epoch);
}

function runStats(epochs) {
  const last = epochs[epochs.length - 1] || {}, config = data.config || {}, net = data.network || {};
  const parameters = data.layers ? data.layers.reduce((sum, l) => sum + l[4], 0) : null;
  const timed = epochs.filter((e) => e.images_per_s > 0), images = config.train_images;
  const seconds = timed.length && images ? (timed.reduce((sum, e) => sum + images / e.images_per_s, 0) * epochs.length) / timed.length : null;
  stats([
    finite(last.val_loss) && ["Test loss", number(last.val_loss), finite(last.loss) ? "training " + number(last.loss) : null],
    finite(last.val_bce) && ["Cross-entropy", number(last.val_bce), "test, nats a pixel"],
    finite(last.val_kl) && ["KL divergence", number(last.val_kl), "test, nats an image"],
    config.epochs && ["Epochs", `${last.epoch || 0} of ${config.epochs}`, images ? count(images) + " images each" : null],
    parameters && ["Parameters", count(parameters), data.checkpoint_bytes ? "checkpoint " + bytes(data.checkpoint_bytes) : "trainable"],
    seconds && ["Training time", duration(seconds), count((images * epochs.length) / seconds) + " images/s"],
    (config.memory || net.memory) && ["Device memory", bytes(config.memory || net.memory), (config.memory ? "to train" : "to evaluate") + ", batch " + config.batch],
  ]);
}

function showCurves(epochs) {
  if (epochs.length === 0) return;
  const line = (name, key, colour, dash) => ({ name, values: epochs.map((e) => e[key]), colour, dash });
  const pair = (title, key) => lineChart({ title, xName: "epoch", x: epochs.map((e) => e.epoch), series: [line("training", key, "var(--accent)"), line("test", "val_" + key, "var(--second)", "6 4")] });
  const speed = epochs.some((e) => finite(e.images_per_s)) && lineChart({ title: "Speed of training", xName: "epoch", x: epochs.map((e) => e.epoch), series: [line("images/s", "images_per_s", "var(--accent)")] });
  section("curves", "Curves", `Losses after each epoch. Training losses are means over the epoch's steps, with dropout${data.augmented ? " and augmentation" : ""}; test losses come after it, without.`,
    h("div", { class: "charts" }, pair("Loss", "loss"), pair("Cross-entropy", "bce"), pair("KL divergence", "kl"), speed));
}

/* --- images --- */
const className = (label) => (label < 0 ? "unknown" : ((data.images || {}).classes || {})[label] || String(label));
function pairList(of, size) {
  return h("ul", { class: "pairs" }, of.labels.map((label, i) => h("li", { class: "pair" },
    h("span", { class: "two" }, tile(of.originals, i, size, `image of class ${className(label)}`), tile(of.reconstructions, i, size, `its reconstruction, cross-entropy ${number(of.bce[i], 3)}`)),
    h("span", { class: "small" }, label < 0 ? null : h("span", { class: "cut", title: className(label) }, className(label)), label < 0 ? null : h("span", {}, "\u00a0·\u00a0"), h("span", {}, number(of.excess[i], 3))))));
}

function showReconstructions() {
  const images = data.images;
  if (!images || !images.sample) return;
  const lists = [images.sample, images.worst, images.best].map((of) => of && pairList(of, 56));
  lists.forEach((list, i) => { if (list && i > 0) list.hidden = true; });
  const chooser = choice("Which images", ["A fair sample", "Worst", "Best"], (at) => lists.forEach((list, i) => { list.hidden = i !== at; }));
  section("reconstructions", "Reconstructions",
    `Test images, each beside its reconstruction from the mean of its code. The number is the cross-entropy above the image's own entropy, which no reconstruction can go below: 0 is perfect. Worst and best are of ${plural(images.count, "test image")}.`,
    chooser, lists);
}

/* How the same images got better: from the pictures that training drew. */
function showEpochs() {
  const list = data.epochs || [];
  if (list.length === 0) return;
  const of = list[0].sprite, pairs = of.count / 2, title = h("output", { "aria-live": "polite" });
  const grid = (entry) => h("ul", { class: "pairs" }, Array.from({ length: pairs }, (_, i) => h("li", { class: "pair" }, h("span", { class: "two" },
    tile(entry.sprite, 2 * i, 56, `test image ${i + 1}`), tile(entry.sprite, 2 * i + 1, 56, `reconstruction after epoch ${entry.epoch}`)))));
  const stage = h("div");
  const slider = h("input", { type: "range", min: 0, max: list.length - 1, step: 1, value: list.length - 1, id: "epoch-slider", oninput: show });
  function show() {
    const entry = list[Number(slider.value)];
    title.textContent = "after epoch " + entry.epoch;
    slider.setAttribute("aria-valuetext", "epoch " + entry.epoch);
    stage.replaceChildren(grid(entry));
  }
  show();
  section("progress", "As it learned", "The same test images after some of the epochs.",
    list.length > 1 && h("div", { class: "controls" }, h("label", { for: "epoch-slider" }, "Epoch"), slider), title, stage);
}

function showAttention() {
  const of = data.attention;
  if (!of || of.layers.length === 0) return;
  const row = (layer, named = (label) => `${layer.name} on the image of class ${className(label)}`) => h("tr", {}, h("th", { scope: "row" }, layer.name.replace(/\.(spatial|channel)$/, ""), layer.spatial ? ", pixels" : ", channels", h("br"), h("span", { class: "mono" }, number(layer.low, 3)), h("span", { class: "ramp" }), h("span", { class: "mono" }, number(layer.high, 3))),
    of.images.map((label, i) => h("td", {}, layer.spatial ? tile(layer.sprite, i, 64, named(label)) : strip(layer.sprite, i, 64, 14, named(label)))));
  section("attention", "Attention", "What each attention multiplies its input by: a spatial one has a factor for each pixel of its layer, one of channels a factor for each channel. Colours run from a layer's smallest factor to its largest; where all that is multiplied is 0, no factor can be told, and it is gray.",
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Attention maps" }, h("table", { class: "heat" }, h("caption", { class: "hidden" }, "Attention maps: a row a layer, a column an image"),
      h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, "image"), of.images.map((label, i) => h("td", {}, tile(of.sprite, i, 64, `image of class ${className(label)}`)))), of.layers.map((layer) => row(layer))))));
}

function showLayers() {
  const layers = data.layers;
  if (!layers) return;
  const most = Math.max(...layers.map((l) => l[4])), total = (k) => layers.reduce((sum, l) => sum + l[k], 0);
  const bar = (n) => (n > 0 ? h("span", { class: "bar", style: `--long:${((5 * n) / most).toFixed(2)}rem`, "aria-hidden": "true" }) : null);
  section("layers", "Layers", `${plural(layers.length, "layer")}, ${plural(total(4), "trainable parameter")}, ${plural(total(5), "moving statistic")}, ${count(total(6))} multiply-adds an image. Shapes are channels × height × width.`,
    table("Layers", ["Layer", "Name", "Detail", "Output", "Parameters", "Multiply-adds"], layers.map((l) => [l[0].replaceAll("_", " "), h("span", { class: "mono" }, l[1]), l[2], l[3].join(" × "), [count(l[4]), bar(l[4])], count(l[6])]), (i) => i > 2, true));
}

/* --- settings --- */
const groups = [
  ["Network", ["arch", "depth", "latent", "kernel", "activation", "attention", "batchnorm", "dropout", "bn_momentum"]],
  ["Experiment", ["factors", "seeds", "random", "fraction", "baseline"]],
  ["Training", ["epochs", "batch", "lr", "min_lr", "kl", "seed", "init", "init_hash"]],
  ["Data", ["data", "train_images", "test_images", "channels", "height", "width", "images", "show", "train_hash", "test_hash"]],
  ["Made by", ["device", "driver", "blas", "version", "run"]],
];
function settingText(value) {
  if (Array.isArray(value)) return value.join(", ");
  if (value === true || value === false) return value ? "on" : "off";
  if (value !== null && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${settingText(v)}`).join(", ");
  return String(value);
}
/* Of a sweep: what --factors varies has no one value. */
function variedOf(config) {
  const names = String(config.factors || "").split(",").map((f) => f.split("=")[0].trim().replaceAll("-", "_"));
  return new Set(config.seeds > 1 ? [...names, "seed"] : names);
}
function showSettings() {
  if (!data.config) return;
  const config = { ...(data.config.arch ? { kernel: 3 } : {}), ...data.config }; /* 3 is not written */
  const varied = data.kind === "sweep" ? variedOf(config) : new Set();
  const known = new Set([...groups.flatMap((g) => g[1]), "memory", "failed"]), rest = Object.keys(config).filter((k) => !known.has(k));
  const entry = (key) => key in config && [h("dt", {}, key.replaceAll("_", " ")), h("dd", {}, varied.has(key) ? "varied" : settingText(config[key]))];
  const list = ([name, keys]) => keys.some((k) => k in config) && h("div", {}, h("h3", {}, name), h("dl", {}, keys.map(entry)));
  section("settings", "Settings", null, h("div", { class: "settings" }, [...groups, ["More", rest]].map(list)));
}

/* Pictures that training drew, where nothing could be computed, and of augmentation. */
function showPictures() {
  const titles = { "latent.png": ["Latent space", "The codes of training and test images, as the training drew them."], "walk.png": ["Walk", "Images decoded from codes between −5 and 5, as the training drew them."],
    "augmented.png": ["Augmentation", "Training images in the first row, and below each what its first epochs saw of it."] };
  for (const [name, url] of Object.entries(data.pictures || {}))
    section(name.replace(".png", ""), titles[name][0], titles[name][1], h("img", { class: "was", src: url, alt: titles[name][1] }));
}

function showRun() {
  const epochs = epochsOf(data.metrics), config = data.config || {};
  document.getElementById("subtitle").textContent = [config.activation && `A variational autoencoder, ${config.activation}` + (config.attention && config.attention !== "none" ? `, ${config.attention} attention` : ""),
    config.device && "trained on " + config.device].filter(Boolean).join(", ");
  runStats(epochs);
  note("This training failed", config.failed && [config.failed]);
  note("Not all is here", data.missing);
  showCurves(epochs);
  showReconstructions();
  showLatent();
  showWalk();
  showEpochs();
  showAttention();
  showPictures();
  showLayers();
  showSettings();
}
