#!/usr/bin/env python3
"""browser.py COMMAND PACKAGES: makes the report of a small run, also of an unfinished one, and of a small sweep, and opens each in
headless Chromium: nothing is said on its console, nothing is asked of the network, what is clicked and typed does what it should,
in both themes, and axe-core finds nothing. Skipped (77) without Chromium; without axe-core, of the environment "suite" in the
folder PACKAGES (tests/support/pypi.py), that part alone is, and it is said."""
import html
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from pypi import Skip, made, site  # noqa: E402

NET = "--arch 4,3,2 --depth 1 --batch 16 --epochs 2 --seed 3".split()
SIDE = 12


def find_chromium():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


def find_axe(folder):
    """axe.min.js as text, or None."""
    try:
        return next(site(made(folder, "suite")).glob("axe_playwright_python/**/axe.min.js")).read_text()
    except Skip as reason:
        print(f"axe-core: skipped: {reason}")
        return None


def write_images(folder, name, count):
    """Squares of different places, of three classes."""
    pixels, labels = bytearray(), bytearray()
    for i in range(count):
        label = i % 3
        labels.append(label)
        for y in range(SIDE):
            pixels += bytes(230 if label <= y - 2 - i % 5 <= 3 + label and 3 <= x - label < 8 else 10 * (i % 7) for x in range(SIDE))
    (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, SIDE, SIDE) + pixels)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


def make_pages(command, folder):
    """{name: page}"""
    def fovea(*arguments):
        done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False, cwd=folder)
        if done.returncode:
            sys.exit(f"fovea {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr}")

    (folder / "set").mkdir()
    write_images(folder / "set", "train", 64)
    write_images(folder / "set", "t10k", 48)
    fovea("train", "--data", "set", "--out", "run", "--attention", "cbam", "--latent", "3", *NET)
    fovea("sweep", "--data", "set", "--out", "sweep", "--factors", "activation=elu|relu,dropout", "--attention", "none", *NET)
    shutil.copytree(folder / "run", folder / "half")
    (folder / "half/checkpoint.safetensors").unlink()
    lines = (folder / "half/metrics.csv").read_text().splitlines(keepends=True)
    (folder / "half/metrics.csv").write_text("".join(lines[:2]) + "2,0.")
    config = json.loads((folder / "half/config.json").read_text())
    (folder / "half/config.json").write_text(json.dumps({**config, "failed": "epoch 2: the loss is not finite"}))
    for name in ("run", "sweep", "half"):
        fovea("report", name)
    return {name: folder / name / "report.html" for name in ("run", "sweep", "half")}


def open_file(chromium, file, folder):
    """What the page became as text, what the browser said, and the addresses that the page asked for."""
    log = file.with_suffix(".net")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", f"--user-data-dir={folder / 'profile'}",
         "--disable-background-networking", "--disable-component-update", "--no-first-run", "--enable-logging=stderr",
         f"--log-net-log={log}", "--virtual-time-budget=60000", "--dump-dom", f"file://{file}"],
        capture_output=True, text=True, check=False, timeout=240)
    # The browser's own requests have no origin; a file's have the origin null.
    events = [e.get("params", {}) for e in json.loads(log.read_text(errors="replace"))["events"]]
    urls = {p["url"] for p in events if "url" in p and p.get("initiator", "not an origin") != "not an origin"}
    return done.stdout, done.stderr, sorted(u for u in urls if not u.startswith(("file:", "data:")))


def check_log(chromium, folder):
    """That a page's request would be seen."""
    page = folder / "control.html"
    page.write_text('<img src="http://control.invalid/x.png">')
    asked = open_file(chromium, page, folder)[2]
    return [] if asked == ["http://control.invalid/x.png"] else [f"the log of the network has {asked} of a page that asks for an image"]


def open_page(chromium, page, name, axe, folder):
    """What probe.js found, the console's lines and the addresses that were asked for. The probe stands at the page's end."""
    text = page.read_text()
    script = (axe or "").replace("</script", "<\\/script") + f"\n(() => {{ const PAGE = {json.dumps(name)};\n{(HERE / 'probe.js').read_text()} }})();"
    at = text.rindex("</body>")
    probed = folder / f"{name}.html"
    probed.write_text(text[:at] + f"<script>{script}</script>" + text[at:])
    became, said, asked = open_file(chromium, probed, folder)
    found = re.search(r"PROBE:(.*?)END", became, re.S)
    if not found:
        sys.exit(f"{name}: the probe did not come to its end\n{said[-3000:]}")
    # The browser's own pages, of chrome:, say on a machine without a network that it is slow.
    console = [line for line in said.splitlines() if ":CONSOLE" in line and "source: chrome://" not in line]
    return json.loads(html.unescape(found[1])), console, asked


def check_references(page):
    """Nothing in the file names another place but the names of SVG's and the like, which are not fetched."""
    names = set(re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?((?:https?:)?//[^"')\s>]+)""", page.read_text()))
    return [f"refers to {name}" for name in names]


def main():
    command, packages = sys.argv[1:]
    chromium = find_chromium()
    if not chromium:
        print("skipped: chromium is not installed")
        return 77
    axe = find_axe(packages)
    findings, checks = [], 0
    with tempfile.TemporaryDirectory() as folder:
        pages = make_pages(command, Path(folder))
        findings += check_log(chromium, Path(folder))
        for name, page in pages.items():
            probe, console, asked = open_page(chromium, page, name, axe, Path(folder))
            checks += probe["checks"]
            findings += [f"{name}: {x}" for x in probe["failures"] + console + check_references(page)]
            findings += [f"{name}: asks for {x}" for x in asked]
            if page.stat().st_size >= 5_000_000:
                findings.append(f"{name}: has {page.stat().st_size} bytes")
    print("\n".join(findings))
    print(f"browser: {checks} checks of {len(pages)} pages, {len(findings) or 'no'} findings")
    return 1 if findings or checks < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
