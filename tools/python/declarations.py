"""Makes cffi's module of the C declarations (out-of-line, ABI level) from the public headers.

usage: declarations.py INCLUDE OUT      INCLUDE: the folder of fovea.h; OUT: _declarations.py
"""

import re
import sys
from pathlib import Path

import cffi


def includes(folder: Path, name: str, seen: "dict[str, str]") -> None:
    """Adds the header, after those that it includes."""
    if name in seen:
        return
    text = (folder / name).read_text(encoding="utf-8")
    seen[name] = ""
    for other in re.findall(r'#include "fovea/(\w+\.h)"', text):
        includes(folder, other, seen)
    del seen[name]
    seen[name] = text


def declarations(folder: Path) -> str:
    """The headers without comments, the preprocessor's lines and C++'s brackets."""
    seen: dict[str, str] = {}
    includes(folder, "fovea.h", seen)
    text = re.sub(r"/\*.*?\*/", " ", "\n".join(seen.values()), flags=re.DOTALL)
    text = re.sub(r"#ifdef __cplusplus\n.*?#endif\n", "", text, flags=re.DOTALL)
    text = re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.MULTILINE)
    return text.replace("FOVEA_API ", "")


def main(folder: str, out: str) -> None:
    ffi = cffi.FFI()
    ffi.set_source("fovea._declarations", None)
    ffi.cdef(declarations(Path(folder)))
    ffi.emit_python_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
