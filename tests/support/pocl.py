#!/usr/bin/env python3
"""A copy of this machine's PoCL with the builtins alone that the kernels here name, which compiles to the same code sooner.

usage: pocl.py FOLDER SOURCE...    FOLDER/vendors is for OCL_ICD_VENDORS; SOURCE are files whose words are kept, text or not

PoCL 3.1 parses a library of builtins of 9 MB for the first program of a context, 0.6 s, and a header of 0.9 MB for each
program, 0.1 s. It finds both beside its own library, so that a copy of it finds others. Any other PoCL, or one whose files
are elsewhere, is left as it is, saying so: FOLDER/vendors then names the drivers that the system has.
"""
import ctypes
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

VENDORS = pathlib.Path("/etc/OpenCL/vendors")
VERSION = "PoCL 3.1"
HEADER, RENAMES = pathlib.Path("include/opencl-c.h"), pathlib.Path("include/_builtin_renames.h")
CL_PLATFORM_VERSION, CL_DEVICE_TYPE_ALL = 0x0901, ctypes.c_ulong(0xFFFFFFFF)
SMOKE = b"kernel void smoke(global float *a) { a[get_global_id(0)] = fma(a[0], a[1], sqrt(a[2])); }"
TYPES = {"char": "c", "uchar": "h", "short": "s", "ushort": "t", "int": "i", "uint": "j", "long": "l", "ulong": "m",
         "float": "f", "double": "d", "half": "Dh"}  # mangled
CALL = re.compile(r"\b([a-z_]\w*)\s*(?:\(|,|##)")  # or a part of a macro's paste(vload, 8)
DECLARED = re.compile(r"[\w *]*\b__ovld\b.*?(\w+)\s*\(.*\);\s*")
RENAMED = re.compile(r"\s*#\s*define\s+(\w+)\s+_cl_\w+\s*")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


class Aside(Exception):
    """Why the tests have the system's PoCL."""


def smoke():
    """Builds a program by the only driver, whose version and files it prints before."""
    opencl = ctypes.CDLL("libOpenCL.so.1")
    opencl.clCreateContext.restype = opencl.clCreateProgramWithSource.restype = ctypes.c_void_p
    platform, device, version = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.create_string_buffer(1024)
    status = opencl.clGetPlatformIDs(1, ctypes.byref(platform), None)
    status = status or opencl.clGetPlatformInfo(platform, CL_PLATFORM_VERSION, len(version), version, None)
    status = status or opencl.clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, ctypes.byref(device), None)
    if status:
        return f"no device, status {status}"
    with open("/proc/self/maps", encoding="utf-8") as maps:
        loaded = sorted(set(re.findall(r"/\S*/lib(?:pocl|LLVM)\S*", maps.read())))
    print(version.value.decode(), *loaded, sep="\n", flush=True)
    context = ctypes.c_void_p(opencl.clCreateContext(None, 1, ctypes.byref(device), None, None, None))
    source = ctypes.c_char_p(SMOKE)
    program = ctypes.c_void_p(opencl.clCreateProgramWithSource(context, 1, ctypes.byref(source), None, None))
    return opencl.clBuildProgram(program, 1, ctypes.byref(device), b"-cl-std=CL1.2", None, None)


def smoked(folder, library):
    """What smoke() says of this library, and how it ends."""
    vendors = folder / "smoke"
    vendors.mkdir(parents=True)
    (vendors / "only.icd").write_text(f"{library}\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OCL_ICD_", "POCL_"))}
    done = subprocess.run([sys.executable, __file__, "--smoke"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**kept, "OCL_ICD_VENDORS": str(vendors), "POCL_CACHE_DIR": str(vendors)}, timeout=120,
                          check=False)
    shutil.rmtree(vendors)
    return done.stdout, done.returncode


def last_words(text):
    return " ".join(text.split())[-300:] or "no output"


def find_one(pattern, text, what):
    found = re.search(pattern, text, re.MULTILINE)
    if not found:
        raise Aside(f"{what}: {last_words(text)}")
    return found.group(1)


def stem(name):
    """Without a vector's width, which a macro may have appended."""
    return re.sub(r"(2|3|4|8|16)$", "", name)


def statements(text):
    """The lines that are not empty, a declaration of several as one."""
    kept, directive = "", False
    for line in filter(str.strip, text.splitlines()):
        directive = line.startswith("#") or (directive and kept.endswith("\\"))
        if kept and line.startswith("#"):
            yield kept
            kept = ""
        kept += ("\n" if directive and kept else " " if kept else "") + line
        if not kept.endswith("\\") if directive else kept.endswith(";"):
            yield kept
            kept = ""
    if kept:
        yield kept


def without_empty(lines):
    """Without conditions that nothing depends on."""
    kept = []
    for line in lines:
        if re.match(r"#\s*endif", line):
            while re.match(r"#\s*(else|elif)", kept[-1]):
                kept.pop()
            if re.match(r"#\s*if", kept[-1]):
                kept.pop()
                continue
        kept.append(line)
    return kept


class Names:
    """What the files call, and the types that the kernels among them, *.cl and *.clh, have."""

    def __init__(self, files):
        self.called, types = set(), set()
        for file in map(pathlib.Path, files):
            text = file.read_bytes().decode("latin-1")
            text = text if "\0" in text else COMMENT.sub("", text)
            self.called.update(map(stem, CALL.findall(text)))
            if file.suffix in (".cl", ".clh"):
                types.update(re.findall(r"[a-z]\w*", text))
        self.threes = any(f"{name}3" in types for name in TYPES)
        self.absent = [name for name in TYPES if name not in map(stem, types)]

    def header(self, text):
        """opencl-c.h without declarations of what is not called, and of types that there are not."""
        types = re.compile(rf"\b({'|'.join(self.absent)})\d*\b" + ("" if self.threes else r"|\b[a-z]+3\b"))
        lines = []
        for line in statements(COMMENT.sub("", text)):
            declared = DECLARED.fullmatch(line)
            if not declared or (stem(declared.group(1)) in self.called and not types.search(line)):
                lines.append(line)
        return "\n".join(without_empty(lines)) + "\n"

    def renames(self, text):
        """_builtin_renames.h without the names that are not called."""
        lines = COMMENT.sub("", text).splitlines()
        return "".join(f"{line}\n" for line in filter(str.strip, lines)
                       if not (renamed := RENAMED.fullmatch(line)) or stem(renamed.group(1)) in self.called)

    def has(self, symbol):
        """Of the library of builtins. printf and what else is not mangled may be PoCL's own; SLEEF is called by builtins."""
        mangled = re.fullmatch(r"_Z(\d+)(.*)", symbol)
        if not mangled:
            return not symbol.startswith("Sleef_")
        length, rest = int(mangled.group(1)), mangled.group(2)
        parameters = re.sub(r"Dv\d+_|U\d+(AS\d|CL(global|local|private|constant|generic))", "", rest[length:])
        return (stem(re.sub("^_cl_", "", rest[:length])) in self.called
                and not any(TYPES[name] in parameters for name in self.absent)
                and (self.threes or "Dv3_" not in rest))


def builtins(source, target, tools, names):
    """The library of builtins with those that are called, and what they call themselves."""
    symbols = subprocess.run([tools / "llvm-nm", "--defined-only", "--extern-only", "--format=just-symbols", source],
                             stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    keep = target.with_suffix(".keep")
    keep.write_text("".join(f"{symbol}\n" for symbol in symbols if names.has(symbol)), encoding="utf-8")
    subprocess.run([tools / "opt", "-passes=internalize,globaldce,strip-dead-prototypes",
                    f"-internalize-public-api-file={keep}", source, "-o", target], check=True)
    keep.unlink()


class Pocl:
    """The system's, of which a copy can be made."""

    def __init__(self, folder, library):
        said, _ = smoked(folder, library)
        version = (said.splitlines() or ["no platform"])[0]
        if VERSION not in version:
            raise Aside(f"{library} is {version}, not {VERSION}")
        self.library = pathlib.Path(find_one(r"^(/.*/libpocl\.so.*)$", said, "the path of libpocl is not known"))
        self.tools = pathlib.Path(f"/usr/lib/llvm-{find_one(r'/libLLVM-(.+).so', said, 'it has no libLLVM')}/bin")
        self.devices = self.library.parent / "pocl"
        self.data = self.library.parent.parent.parent / "share" / "pocl"
        for needed in (self.devices, self.data / HEADER, self.data / RENAMES, self.tools / "opt", self.tools / "llvm-nm"):
            if not needed.exists():
                raise Aside(f"{needed} is not there")

    def copy(self, folder, names):
        """The library of the copy, whose ../../share/pocl is the folder's."""
        lib, share = folder / "lib" / "copy", folder / "share" / "pocl"
        lib.mkdir(parents=True)
        own = shutil.copy(self.library, lib)
        shutil.copytree(self.devices, lib / "pocl")
        shutil.copytree(self.data / HEADER.parent, share / HEADER.parent)
        text = names.header((self.data / HEADER).read_text(encoding="utf-8"))
        (share / HEADER).write_text(text, encoding="utf-8")
        renames = names.renames((self.data / RENAMES).read_text(encoding="utf-8"))
        (share / RENAMES).write_text(renames, encoding="utf-8")
        # As long as there is no library of builtins it says which one this processor has.
        used = find_one(r"/(kernel-[^/]*\.bc) doesn't exist", smoked(folder, own)[0], "the library of builtins is not known")
        builtins(self.data / used, share / used, self.tools, names)
        # PoCL's cache finds a kernel by its text with the headers: kernels of other builtins are others.
        digest = hashlib.sha256((share / used).read_bytes()).hexdigest()
        (share / HEADER).write_text(f"{text}typedef int builtins_{digest};\n", encoding="utf-8")
        for other in self.data.glob("kernel-*.bc"):
            if other.name != used:
                (share / other.name).symlink_to(other)
        gold = shutil.which("ld.gold")
        if gold:  # each kernel is linked, with libm and libc: in a third of the time
            (folder / "bin").mkdir()
            (folder / "bin" / "ld").symlink_to(gold)
        said, status = smoked(folder, own)
        if status:
            raise Aside(f"a copy does not compile: {last_words(said)}")
        return own


def drivers():
    return {icd.name: icd.read_text(encoding="utf-8").strip() for icd in sorted(VENDORS.glob("*.icd"))}


def wanted(folder, names):
    """What the copy is made from and for, as text."""
    files = [pathlib.Path(__file__)]
    for pattern in ("share/pocl/**/*", "lib/*/libpocl*", "lib/*/pocl/*", "lib/llvm-*/bin/opt", "bin/ld.gold"):
        files += pathlib.Path("/usr").glob(pattern)
    stats = sorted((str(file), file.stat().st_size, file.stat().st_mtime) for file in files)
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        processor = [line for line in info if line.startswith("flags")][:1]
    return hashlib.sha256(repr((str(folder), sorted(names.called), names.absent, names.threes, stats, drivers(), processor)).encode()).hexdigest()


def write(folder, made, found):
    """FOLDER/vendors, and last FOLDER/made."""
    (folder / "vendors").mkdir(parents=True)
    for name, library in found.items():
        (folder / "vendors" / name).write_text(f"{library}\n", encoding="utf-8")
    (folder / "made").write_text(made, encoding="utf-8")


def make(folder, files):
    """Makes the folder where it is not made from this; "made" has a second line where there is no copy, the reason."""
    names = Names(files)
    made, text, found = folder / "made", wanted(folder, names), drivers()
    if made.exists() and made.read_text(encoding="utf-8").startswith(text):
        made.touch()
        return 0
    part = folder.with_name(f"{folder.name}.part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    try:
        name = next((name for name, library in found.items() if "libpocl" in library), None)
        if not name:
            raise Aside(f"there is none in {VENDORS}")
        own = pathlib.Path(Pocl(part, found[name]).copy(part, names))
        write(part, text, {**found, name: folder / own.relative_to(part)})
    except (Aside, OSError, subprocess.SubprocessError) as reason:
        print(f"The tests run with the system's PoCL: {reason}")
        shutil.rmtree(part, ignore_errors=True)
        write(part, f"{text}\n{reason}\n", found)
    part.rename(folder)
    return 0


if __name__ == "__main__":
    sys.exit(smoke() if sys.argv[1:] == ["--smoke"] else make(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]))
