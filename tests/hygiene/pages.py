#!/usr/bin/env python3
"""pages.py COMMAND COMPILER: what the pages (every .md file) name is there: files, links, functions, macros and
variables, subcommands and their options; their C compiles; and the first page stays short. Exits 1 with the findings."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_LINES, MOST_WORDS = 150, 1500
FOLDERS = ("src", "cl", "tests", "tools", "include", "samples", ".ci", ".cmake", ".github")
PLACEHOLDER = re.compile(r"NAME|NNN|<|\{|\.\.\.|\$")


def tracked(*patterns):
    """The project's files, made ones left out."""
    skip = {"build", "demo", ".git"}
    for pattern in patterns:
        for path in ROOT.rglob(pattern):
            top = path.relative_to(ROOT).parts[0]
            if path.is_file() and top not in skip and not top.startswith("build"):
                yield path


def text_of(*patterns):
    return "\n".join(p.read_text(errors="replace") for p in tracked(*patterns))


class Command:
    """What `fovea` knows, by its own help."""

    def __init__(self, path):
        self.path, self.helps = path, {}
        self.top = self.run("--help")
        listing = self.top.split("subcommands:")[1].split("\n\n")[0]
        self.subcommands = re.findall(r"^  (\w[\w-]*)", listing, re.M)

    def run(self, *arguments):
        done = subprocess.run([self.path, *arguments], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def options(self, subcommand):
        if subcommand not in self.helps:
            self.helps[subcommand] = set(re.findall(r"--[a-z][a-z-]*", self.run(subcommand, "--help")))
        return self.helps[subcommand]


def looks_like_path(span):
    return (span.split("/")[0] in FOLDERS and "/" in span and " " not in span and not PLACEHOLDER.search(span))


def exists(page, span):
    span = span.rstrip("/")
    for base in (ROOT, page.parent):
        if any(base.glob(span)) if "*" in span else (base / span).exists():
            return True
    return False


def check_links(page, text):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
            yield f"links to {target}, which is not there"


def check_spans(page, text, known):
    for span in re.findall(r"`([^`\n]+)`", text):
        if looks_like_path(span) and not exists(page, span):
            yield f"names {span}, which is not there"
        for word in re.findall(r"\b(?:fovea|FOVEA)_\w*[A-Za-z]\b(?!\*|\.\.\.|_)", span):
            if word not in known:
                yield f"names {word}, which no source has"


def command_lines(text):
    """(subcommand, options) of each `fovea SUB ...` in code."""
    code = re.findall(r"`([^`\n]+)`", text)
    code += re.findall(r"^(?: {4}|\t)(.*(?:\\\n.*)*)", text, re.M)
    for line in code:
        for part in re.split(r"[|;&#]", line.replace("\\\n", " ")):
            found = re.search(r"(?:^|/|\s)fovea\s+([a-z]\w*)(.*)", part, re.S)
            if found:
                yield found[1], re.findall(r"--[a-z][a-z-]*", found[2])


def check_commands(text, command):
    for subcommand, options in command_lines(text):
        if subcommand not in command.subcommands:
            yield f"names the subcommand {subcommand}, which is not there"
            continue
        for option in set(options) - {"--help"}:
            if option not in command.options(subcommand):
                yield f"gives {option} to fovea {subcommand}, which has no such option"


def check_c(text, compiler):
    for block in re.findall(r"```c\n(.*?)```", text, re.S):
        arguments = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT}/include", "-xc", "-"]
        done = subprocess.run(arguments, input=block, capture_output=True, text=True, check=False)
        if done.returncode:
            yield "has C that does not compile:\n" + done.stderr


def check_length(text):
    lines, words = text.count("\n"), len(text.split())
    if lines > MOST_LINES or words > MOST_WORDS:
        yield f"has {lines} lines and {words} words, more than {MOST_LINES} or {MOST_WORDS}"


def findings_of(page, command, compiler, known):
    text = page.read_text()
    yield from check_links(page, text)
    yield from check_spans(page, text, known)
    yield from check_commands(text, command)
    yield from check_c(text, compiler)
    if page == ROOT / "README.md":
        yield from check_length(text)


def main():
    command, compiler = Command(sys.argv[1]), sys.argv[2]
    sources = text_of("*.c", "*.h", "*.cl", "*.clh", "*.cmake", "CMakeLists.txt", "*.sh", "*.py")
    known = set(re.findall(r"\b(?:fovea|FOVEA)_\w+", sources))
    pages = sorted(tracked("*.md"))
    findings = [f"{p.relative_to(ROOT)} {f}" for p in pages for f in findings_of(p, command, compiler, known)]
    print("\n".join(findings))
    print(f"pages: {len(pages)} checked, {len(findings) or 'no'} findings")
    return 1 if findings or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
