/* Theme, reloading, printing, and which section the reader is in. */

function storage(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch { /* a browser that keeps nothing for files */ }
  return null;
}
function themeSwitch() {
  const dark = matchMedia("(prefers-color-scheme: dark)"), root = document.documentElement;
  const now = () => root.dataset.chosen || storage("fovea-theme") || (dark.matches ? "dark" : "light");
  const button = h("button", { type: "button", onclick: () => {
    root.dataset.chosen = now() === "dark" ? "light" : "dark";
    storage("fovea-theme", root.dataset.chosen);
    apply();
  } });
  function apply() {
    root.dataset.theme = now();
    button.textContent = now() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${button.textContent} theme`);
  }
  dark.addEventListener("change", apply);
  apply();
  return button;
}

/* Of a page that is watched: it reloads itself until that is switched off. */
function reloader() {
  if (!data.reload) return null;
  const box = h("input", { type: "checkbox", id: "reload" });
  box.checked = storage("fovea-reload") !== "off";
  box.addEventListener("change", () => storage("fovea-reload", box.checked ? "on" : "off"));
  setInterval(() => { if (box.checked && document.visibilityState === "visible") location.reload(); }, 1000 * data.reload);
  return h("label", { for: "reload", class: "row", style: "margin:0;gap:.4rem" }, box, `reload every ${data.reload} s`);
}

function followSections() {
  const links = [...document.querySelectorAll("nav a")], inside = new Set();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) inside[entry.isIntersecting ? "add" : "delete"]("#" + entry.target.id);
    const first = links.find((a) => inside.has(a.hash));
    if (first) links.forEach((a) => (a === first ? a.setAttribute("aria-current", "true") : a.removeAttribute("aria-current")));
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("section[id]").forEach((x) => seen.observe(x));
}

function printing() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((d) => d.dataset.print === "open");
    opened.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => opened.forEach((d) => { d.open = false; }));
}

document.title = `${data.title}, a ${data.kind} of Fovea`;
document.getElementById("title").textContent = data.title;
document.getElementById("tools").append(...[reloader(), themeSwitch()].filter(Boolean));
if (data.kind === "sweep") showSweep(); else showRun();
document.getElementById("foot").append(`Made by fovea ${data.version} of ${data.dir}${data.network ? ", computed on " + data.network.device : ""}. This page is one file: it asks the network for nothing.`);
followSections();
printing();
