/* Put at the end of a report by browser.py: uses the page as a reader would, and leaves what it found as the page's text. */
const failures = [];
let checks = 0;
function check(good, what) {
  checks++;
  if (!good) failures.push(what);
}
const $ = (selector) => document.querySelector(selector), $$ = (selector) => [...document.querySelectorAll(selector)];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const key = (node, name) => node.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
const text = (selector) => ($(selector) ? $(selector).textContent : "");

async function theme(name) {
  if (document.documentElement.dataset.theme !== name) $("#tools button").click();
  await wait(50);
  check(document.documentElement.dataset.theme === name, `the switch gives ${name}`);
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
  check(name === "dark" ? r + g + b < 200 : r + g + b > 600, `the page is ${name}`);
  if (typeof axe === "undefined") return;
  const found = await axe.run(document, { resultTypes: ["violations"] });
  check(found.passes.length > 10, "axe has run");
  for (const v of found.violations) failures.push(`axe, ${name}: ${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 200)}`);
}

function curves(lines) {
  const stage = $(lines + " .stage"), read = $(lines + " output");
  key(stage, "ArrowRight");
  const first = read.textContent;
  key(stage, "End");
  check(/^epoch 1: .*\d\.\d/.test(first), `arrow keys read a curve: '${first}'`);
  return read.textContent;
}

async function run() {
  check($$("section").length === 8, "a run has all sections");
  check(curves("#curves").startsWith("epoch 2"), "End reads the last epoch");
  const svg = $("#curves svg.plot"), box = svg.getBoundingClientRect();
  svg.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + 60, clientY: box.top + 40, bubbles: true }));
  check(text("#curves output").startsWith("epoch 1"), "the pointer reads a curve");
  const widths = $$("#reconstructions ul.pairs").map((x) => x.offsetWidth > 0);
  check(widths[0] && !widths[1], "the fair sample is seen first");
  $$("#reconstructions .choice button")[1].click();
  check($$("#reconstructions ul.pairs")[1].offsetWidth > 0, "then the worst");
  const image = $("#reconstructions .tile"), style = getComputedStyle(image);
  check(style.backgroundImage.startsWith('url("data:image/png'), "tiles have an image");
  check(image.getAttribute("aria-label").includes("class 0") || image.getAttribute("aria-label").includes("class"), "and a label");
  const latent = $("#latent .stage");
  const before = text("#latent .look .small:last-child");
  for (const name of ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft"]) key(latent, name);
  check(text("#latent output").startsWith("Class ") && text("#latent output") !== before, "arrow keys go from code to code");
  $$("#latent .keys button")[1].click();
  check($$("#latent path[fill-opacity='0.07']").length === 2, "a class is singled out");
  const axis = $("#latent select");
  axis.value = "2";
  axis.dispatchEvent(new Event("change"));
  await wait(100);
  check(text("#latent svg.plot").includes("number 3 of the code"), "another number across");
  const map = $("#walk .map"), area = map.getBoundingClientRect();
  map.dispatchEvent(new PointerEvent("pointermove", { clientX: area.left + 1, clientY: area.top + 1, bubbles: true }));
  check(text("#walk output") === "z = −5.00, 5.00, 0, …", `the pointer decodes: '${text("#walk output")}'`);
  const slider = $("#walk-x");
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input"));
  check(text("#walk output").startsWith("z = 5.00, 5.00"), "a slider does, too");
  const epoch = $("#epoch-slider");
  epoch.value = 0;
  epoch.dispatchEvent(new Event("input"));
  check(text("#progress output") === "after epoch 1", "earlier epochs are seen");
  check($$("#attention .heat tr").length === 5, "four attentions and the images");
  const maps = $$("#attention .heat th").map((x) => x.textContent.replace(/[\d.]/g, ""));
  check(new Set(maps).size === 5, `each under a name of its own: ${maps}`);
  check($$("#settings dt").some((x) => x.textContent === "kernel" && x.nextSibling.textContent === "3"), "the kernels' size");
  check($$("#layers tbody tr").length > 20 && text("#layers").includes("encoder.conv_in"), "layers");
  check(text("#settings").includes("cbam"), "settings");
  const under = $$("#reconstructions .pair .small").find((x) => x.offsetWidth > 0), [name, , value] = under.children;
  name.textContent = "a name of a class that is longer than its tile";
  check(name.scrollWidth > name.clientWidth && value.getBoundingClientRect().right <= under.getBoundingClientRect().right + 1, "a long name is cut, its number is not");
}

async function sweep() {
  check($$(".factor").length === 2 && text("#factors").includes("test loss"), "a sentence a factor");
  check($$("#pairs figure").length === 1, "the pair");
  const setting = (key) => $$("#settings dt").find((x) => x.textContent === key).nextSibling.textContent;
  check(setting("activation") === "varied" && setting("dropout") === "varied" && setting("attention") === "none", "factors have no one setting");
  check(/activation (relu|elu), dropout/.test(text(".stats")), "levels have their factors' names");
  const rows = () => $$("#table tbody tr"), heads = $$("#table thead th").map((x) => x.textContent);
  const losses = () => rows().map((r) => Number(r.children[heads.indexOf("test loss")].textContent));
  check(heads.includes("activation") && !heads.includes("attention"), "columns are what varies");
  check(heads[1] === "config" && heads[2].startsWith("test loss"), "the loss stands beside the name");
  check(rows().length === 4, "all runs");
  check(losses().every((x, i, all) => i === 0 || all[i - 1] <= x), "sorted by loss");
  const head = $$("#table thead button").find((b) => b.textContent === "test loss");
  head.click();
  check(losses().every((x, i, all) => i === 0 || all[i - 1] >= x) && head.parentNode.getAttribute("aria-sort") === "descending", "and the other way");
  const search = $("#table input[type=search]");
  search.value = "ELU-none-BN-drop";
  search.dispatchEvent(new Event("input"));
  check(rows().length === 2, "found by a part of its name");
  search.value = "";
  search.dispatchEvent(new Event("input"));
  const pick = $("#table select");
  pick.value = "relu";
  pick.dispatchEvent(new Event("change"));
  check(rows().length === 2 && text("#table output") === "2 of 4 runs", "filtered by a factor");
  check($$("#compare .column").length === 2, "best and worst at first");
  const boxes = $$("#table tbody input");
  const ticked = boxes.filter((b) => !b.checked)[0];
  ticked.click();
  check($$("#compare .column").length === 3 && $$("#compare .tile").length > 10, "a third beside them");
  check(curves("#compare").split(",").length === 3, "with its curve");
  $$("#compare .choice button")[3].click();
  check(text("#compare figcaption") === "Test KL divergence", "another curve");
  $$("#compare .column button")[0].click();
  check($$("#compare .column").length === 2, "and away again");
  $("#regression summary").click();
  check(text("#regression pre").includes("OLS Regression Results"), "the regression");
}

async function half() {
  const notes = $$(".note").map((n) => n.textContent);
  check(notes.length === 2 && notes[0].includes("failed") && notes[0].includes("is not finite"), "why it ended is said first");
  check(notes[1].includes("torn line") && notes[1].includes("before it had a checkpoint"), "what is missing is said");
  check(!text("#settings").includes("not finite") && text(".stats").includes("to train"), "a failure is no setting, memory is training's");
  check($("#walk img").src.startsWith("data:image/png") && $("#layers") !== null, "pictures and layers are there");
}

addEventListener("load", async () => {
  try {
    await wait(300);
    check($("main").children.length > 3 && document.title.includes(PAGE), "the page is drawn");
    await ({ run, sweep, half })[PAGE]();
    $$("details").forEach((d) => { d.open = true; });
    dispatchEvent(new Event("beforeprint"));
    dispatchEvent(new Event("afterprint"));
    document.body.style.width = "360px";
    await wait(200);
    check(document.body.scrollWidth <= 361, `nothing is wider than a phone: ${document.body.scrollWidth}`);
    document.body.style.width = "";
    await theme("light");
    await theme("dark");
  } catch (error) {
    failures.push(String(error.stack));
  }
  document.body.textContent = ["PROBE", ""].join(":") + JSON.stringify({ checks, failures }) + "END";
});
