#!/usr/bin/env python3
"""Tests the tests: breaks the code in one place at a time and sees whether the suite notices.

Each entry of mutations.txt is one mutation: a text that occurs exactly once in its file, what takes its place, and the
ctest tests that should notice. Those run first; only if they all pass does the rest of the suite, and a mutation that
passes that too has survived. Everything happens in a copy of the tree: nothing here is changed. The copy is built once,
and its unchanged suite must pass. A change to a kernel is then read by FOVEA_CL_DIR, without a build, several of them at
once; then come the changes to host code, one after another. A test may be named with its case, op/conv2d=stride_2,_odd:
that one runs before all of them, and compiles no other's kernels.

A mutation that does not compile proves nothing about the tests; it is an error of the table. Exit status: 0 when every
mutation was killed, 1 when one survived, 2 when the table, the build or the unchanged suite is not in order.
"""
import argparse
import concurrent.futures
import filecmp
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TREE = [".cmake", "CMakeLists.txt", "LICENSE", "README.md", "cl", "include", "samples", "src", "tests", "tools"]
# Tests that test the source text, or build it anew in another way: no unit of the code under test fails in them first.
LEFT_OUT = "^(mutate|coverage|faults|hygiene|install|lint|matrix|offline|valgrind)/"
# Tests of what kernels compute, where a mutation is seen in code without optimization, too: compiled in a third of the time.
UNOPTIMIZED = re.compile(r"(graph|net|op|plan)/(?!rounding)")


class Mutation:
    def __init__(self, name, file, tests, old, new):
        self.name, self.file, self.old, self.new = name, file, old, new
        named = [test.partition("=")[::2] for test in tests]
        self.tests = [test for test, _ in named]
        self.cases = [(test, case.replace("_", " ")) for test, case in named if case]


def read_table(path):
    entries, lines = [], path.read_text().split("\n")
    i = 0
    while i < len(lines):
        if not lines[i].startswith("--- "):
            if lines[i] and not lines[i].startswith("#"):
                sys.exit(f"{path.name}:{i + 1}: expected '--- NAME FILE TEST...', a comment or nothing")
            i += 1
            continue
        name, file, *tests = lines[i].split()[1:]
        try:
            middle, end = lines.index("===", i), lines.index(">>>", i)
        except ValueError:
            sys.exit(f"{path.name}:{i + 1}: {name} lacks its === or >>>")
        if any(line.startswith("--- ") for line in lines[i + 1:end]):
            sys.exit(f"{path.name}:{i + 1}: {name} has another mutation in it: its >>> is missing")
        old, new = "\n".join(lines[i + 1:middle]), "\n".join(lines[middle + 1:end])
        entries.append(Mutation(name, file, tests, old, new))
        i = end + 1
    return entries


def target_of(test):
    """What must be built for a ctest test; None when there is no such test."""
    folder, _, stem = test.partition("/")
    if folder == "matrix":  # they run the command on other implementations
        rows = ROOT / "tests" / "matrix" / "CMakeLists.txt"
        program = {"oclgrind": "local_memory", "oclgrind-ops": "check_ops"}.get(stem, "fovea")  # local_memory with either
        return program if rows.exists() and re.search(rf"\b{stem}\b", rows.read_text()) else None
    if folder == "gpu" and (ROOT / "tests" / folder / f"{stem}.c").exists():
        return f"gpu_{stem}"
    if folder == "gpu":  # scripts, of which two read what this program lists
        return "list_launches" if stem in ("census", "limits", "run_steps") else None
    if folder == "export" and stem.endswith(("_sample", "_all")):
        return "export_custom"
    if folder == "reach" and (ROOT / "tests" / folder / f"{stem}.sh").exists():  # scripts that run the command
        return "fovea"
    if test in ("events/tensorboard", "json/schema"):  # scripts that run the command
        return "fovea"
    if folder == "emulator":  # NAME_DEVICE
        name = stem.partition("_")[0]
        return f"test_emulator_{name}" if (ROOT / "tests" / folder / "cases" / f"{name}.c").exists() else None
    for name in (stem, stem.removesuffix("_gpu_path")):
        if (ROOT / "tests" / folder / f"test_{name}.c").exists():
            return f"test_{folder}_{name}"
    return None


def check_table(mutations, root):
    """What is wrong with the table for the tree at `root`, a sentence each."""
    wrong, names = [], set()
    for m in mutations:
        path = root / m.file
        count = path.read_text().count(m.old) if path.exists() else 0
        if count != 1:
            wrong.append(f"{m.name}: its old text occurs {count} times in {m.file}, expected once")
        if m.old == m.new or not m.old:
            wrong.append(f"{m.name}: changes nothing")
        if m.name in names:
            wrong.append(f"{m.name}: the name is there twice")
        names.add(m.name)
        if not m.tests:
            wrong.append(f"{m.name}: names no test")
        wrong += [f"{m.name}: there is no test {t}" for t in m.tests if not target_of(t)]
    return wrong


def copy_tree(source, to):
    """Makes `to` what the source is, leaving files that are the same already, so that a build there is still good."""
    to.mkdir(parents=True, exist_ok=True)
    names = {p.name for p in source.iterdir() if p.name != "__pycache__"}
    for old in to.iterdir():
        if old.name not in names:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for name in names:
        if (source / name).is_dir():
            copy_tree(source / name, to / name)
        elif not (to / name).exists() or not filecmp.cmp(source / name, to / name, shallow=False):
            shutil.copyfile(source / name, to / name)
            shutil.copymode(source / name, to / name)


class Workshop:
    """A copy of the tree and its build, with caches of their own."""

    def __init__(self, folder, options):
        self.folder, self.tree, self.build = folder, folder / "tree", folder / "build"
        self.jobs, self.timeout, self.rest = options.jobs, options.timeout, not options.named
        self.passed = options.passed
        self.tree.mkdir(parents=True, exist_ok=True)
        for name in TREE:
            if (ROOT / name).is_dir():
                copy_tree(ROOT / name, self.tree / name)
            elif not (self.tree / name).exists() or not filecmp.cmp(ROOT / name, self.tree / name, shallow=False):
                shutil.copyfile(ROOT / name, self.tree / name)
        cache = folder / "cache"
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(cache), POCL_CACHE_DIR=str(cache / "pocl"),
                                CMOCKA_TEST_ABORT="1")  # a test program ends at its first failure
        for name in ("FOVEA_CL_DIR", "FOVEA_VECTOR", "FOVEA_BLAS", "FOVEA_TEST_CASE"):
            self.environment.pop(name, None)
        self.log = open(folder / "log.txt", "w")

    def run(self, *command, **environment):
        result = subprocess.run(list(map(str, command)), env={**self.environment, **environment}, text=True,
                                errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log.write(f"$ {' '.join(map(str, command))}\n{result.stdout}")
        self.log.flush()
        return result

    def make(self, *targets):
        return self.run("cmake", "--build", self.build, "-j", self.jobs, *(["--target", *targets] if targets else []))

    def prepare(self):
        result = self.run("cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                          "-DCMAKE_C_FLAGS_RELEASE=-O1")
        return result if result.returncode else self.make()

    def test(self, only=None, but=(), **environment):
        """Runs tests up to the first failure: its name and how it failed, or None; and the output."""
        select = ["-R", "^(" + "|".join(map(re.escape, only)) + ")$"] if only else []
        exclude = ["-E", LEFT_OUT + "".join(f"|^{re.escape(t)}$" for t in but)] if not only else []
        if only and all(map(UNOPTIMIZED.match, only)):
            environment["POCL_EXTRA_BUILD_FLAGS"] = "-cl-opt-disable"
        result = self.run("ctest", "--test-dir", self.build, "-j", self.jobs, "--timeout", self.timeout,
                          "--stop-on-failure", "--output-on-failure", "--no-tests=error", *select, *exclude,
                          **environment)
        failed = re.findall(r"Test +#\d+: (\S+) \.*([A-Za-z ]*\*\*\*(?!Skipped)[A-Za-z: ]+?) +[\d.]+ sec",
                            result.stdout)
        if result.returncode and not failed:
            failed = [("ctest", "error")]
        return (failed[0] if failed else None), result.stdout

    def test_named(self, m, **environment):
        """As test, of those that it names; at first of their cases alone."""
        for test, case in m.cases:
            failed, output = self.test(only=[test], FOVEA_TEST_CASE=case, **environment)
            if failed:
                return failed, output
        return self.test(only=m.tests, **environment)


def read_at_run_time(m):
    """Whether FOVEA_CL_DIR is enough; those of runtime/ and matrix/ set it themselves, so they need the embedded text."""
    return m.file.startswith("cl/") and not any(t.startswith(("runtime/", "matrix/")) for t in m.tests)


def verdict_of(failed, output, kernel):
    if kernel and "does not build on" in output:
        return "error", "the kernel does not compile"
    if not failed:
        return "survived", ""
    case = re.findall(r'FOVEA_TEST_CASE="([^"]*)"', output)
    if failed[0] == "ctest" or "Not Run" in failed[1]:
        return "error", "ctest itself failed, see the log"
    return "killed", f"by {failed[0]}" + (f"={case[0].replace(' ', '_')}" if case else "") + (
        " (timeout)" if "Timeout" in failed[1] else "")


def judge_kernel(shop, m):
    folder = Path(tempfile.mkdtemp(prefix="cl-", dir=shop.folder))
    shutil.copytree(shop.tree / "cl", folder, dirs_exist_ok=True)
    path = folder / Path(m.file).relative_to("cl")
    path.write_text(path.read_text().replace(m.old, m.new))
    failed, output = shop.test_named(m, FOVEA_CL_DIR=str(folder))
    if not failed and shop.rest:
        failed, output = shop.test(but=m.tests, FOVEA_CL_DIR=str(folder))
    shutil.rmtree(folder)
    return verdict_of(failed, output, True)


def judge_host(shop, m):
    path = shop.tree / m.file
    text = path.read_text()
    path.write_text(text.replace(m.old, m.new))
    try:
        if shop.make(*{target_of(t) for t in m.tests}).returncode:
            return "error", "does not compile"
        failed, output = shop.test_named(m)
        if not failed and shop.rest:
            if shop.make().returncode:
                return "error", "does not compile"
            failed, output = shop.test(but=m.tests)
        return verdict_of(failed, output, m.file.startswith("cl/"))
    finally:
        path.write_text(text)


def judge(shop, m):
    start = time.monotonic()
    verdict, detail = (judge_kernel if read_at_run_time(m) else judge_host)(shop, m)
    print(f"{verdict:9} {m.name:36} {time.monotonic() - start:5.0f} s  {detail}", flush=True)
    if verdict == "killed" and shop.passed:
        with open(shop.passed, "a") as passed:
            passed.write(f"{m.name}\n")
    return verdict


def run_all(shop, mutations, whole):
    wrong = check_table(mutations, shop.tree)  # again, for what was copied may be newer
    if wrong:
        print("\n".join(wrong))
        return 2
    result = shop.prepare()
    if result.returncode:
        print(result.stdout[-4000:], "\nthe unchanged tree does not build")
        return 2
    tests = sorted({t for m in mutations for t in m.tests})
    groups = [None] if whole else [[t for t in tests if bool(UNOPTIMIZED.match(t)) == way] for way in (True, False)]
    for group in groups:
        failed, output = shop.test(only=group) if group != [] else (None, "")
        if failed:
            print(output[-4000:], f"\nthe unchanged suite fails: {failed[0]}, {failed[1].strip()}")
            return 2
    print("the unchanged suite passes", flush=True)
    begun = time.monotonic()
    mutations = [m for m in mutations if read_at_run_time(m)] + [m for m in mutations if not read_at_run_time(m)]
    kernels = sum(map(read_at_run_time, mutations))
    with concurrent.futures.ThreadPoolExecutor(shop.jobs) as pool:
        verdicts = list(pool.map(lambda m: judge(shop, m), mutations[:kernels]))
    verdicts += [judge(shop, m) for m in mutations[kernels:]]
    for verdict in ("survived", "error"):
        names = [m.name for m, v in zip(mutations, verdicts) if v == verdict]
        if names:
            print(f"{verdict}: {', '.join(names)}")
    killed = verdicts.count("killed")
    print(f"{killed} of {len(verdicts)} mutations killed in {(time.monotonic() - begun) / 60:.1f} minutes")
    return 2 if "error" in verdicts else 1 if killed < len(verdicts) else 0


def main():
    parser = argparse.ArgumentParser(description="Mutates the code and sees whether the tests notice.")
    parser.add_argument("--list", action="store_true", help="print the mutations and stop")
    parser.add_argument("--check", action="store_true", help="check that each of them still applies, and stop")
    parser.add_argument("--only", metavar="REGEX", help="only mutations whose name or file matches")
    parser.add_argument("--named", action="store_true", help="run only the tests that a mutation names, never the rest")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="builds and tests at once [the processors]")
    parser.add_argument("--timeout", type=int, default=400, help="seconds a test may take [400]")
    parser.add_argument("--keep", metavar="FOLDER", help="work there, on what an earlier run left, and leave it with its log.txt")
    parser.add_argument("--passed", metavar="FILE",
                        help="leave out the mutations whose names it has, and add those that are killed")
    options = parser.parse_args()
    mutations = read_table(HERE / "mutations.txt")
    wrong = check_table(mutations, ROOT)
    if options.only:
        mutations = [m for m in mutations if re.search(options.only, f"{m.name} {m.file}")]
    if options.passed and os.path.exists(options.passed):
        before = set(Path(options.passed).read_text().split("\n"))
        mutations = [m for m in mutations if m.name not in before]
    if options.list:
        for m in mutations:
            print(f"{m.name:36} {m.file:34} {' '.join(m.tests)}")
        return 0
    if not (wrong or options.check or mutations):
        print("no mutation is left to run")
        return 0
    if wrong or options.check:
        print("\n".join(wrong) or f"all {len(mutations)} mutations apply")
        return 2 if wrong else 0
    if options.keep:
        folder = Path(options.keep).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return run_all(Workshop(folder, options), mutations, not (options.only or options.named))
    with tempfile.TemporaryDirectory(prefix="fovea-mutate-") as folder:
        return run_all(Workshop(Path(folder), options), mutations, not (options.only or options.named))


if __name__ == "__main__":
    sys.exit(main())
