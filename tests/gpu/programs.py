"""Programs compiled for the census: each once, kept in a folder by what it was made of."""
import concurrent.futures
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "offline"))
import compilers  # noqa: E402

import amdgcn  # noqa: E402
import ptx  # noqa: E402
import sass  # noqa: E402

NVIDIA = "sm_90"


def is_nvidia(target):
    return target.startswith("sm_")


def find_nvdisasm():
    return shutil.which("nvdisasm") or shutil.which("nvdisasm", path="/usr/local/cuda/bin")


def versions():
    said = [compilers.run(["clang-15", "--version"]).splitlines()[0]]
    if compilers.ptxas_knows(NVIDIA):
        said.append(compilers.run([compilers.find_ptxas(), "--version"]).split("\n")[-2])
    return said


class Programs:
    """What each program became for each target. resources: {kernel: compilers.Kernel}. code: {kernel: Graph}."""

    def __init__(self, sources, folder, jobs=1):
        self.jobs, self.sources, self.folder = jobs, pathlib.Path(sources).resolve(), pathlib.Path(folder)
        self.versions = versions()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._resources, self._code = {}, {}

    def _place(self, target, program):
        file, options = program
        text = "\n".join([target, options, compilers.expanded(self.sources, file), *self.versions])
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:24]

    def _compile(self, target, program):
        place = self._place(target, program)
        if (place / "resources.json").exists():
            return
        file, options = program
        arguments = [f"-I{self.sources}", *options.split()]
        with tempfile.TemporaryDirectory(dir=self.folder) as name:  # other tests may do the same now
            folder = pathlib.Path(name)
            if is_nvidia(target):
                kernels = compilers.compile_nvidia(target, arguments, self.sources / file, folder)
            else:
                kernels = compilers.compile_amd(target, arguments, self.sources / file, folder, assembly=True)
            place.mkdir(exist_ok=True)
            (folder / "resources.json").write_text(json.dumps([k._asdict() for k in kernels]))
            for made in ("program.ptx", "program.cubin", "program.s", "resources.json"):  # the last says that all are there
                if (folder / made).exists():
                    (folder / made).replace(place / made)

    def compile(self, target, programs):
        """All of them, before they are asked for."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            list(pool.map(lambda p: self._compile(target, p), sorted(set(programs))))

    def resources(self, target, program):
        if (target, program) not in self._resources:
            self._compile(target, program)
            kernels = json.loads((self._place(target, program) / "resources.json").read_text())
            self._resources[target, program] = {k["name"]: compilers.Kernel(**k) for k in kernels}
        return self._resources[target, program]

    def code(self, target, program):
        if (target, program) not in self._code:
            self._compile(target, program)
            place = self._place(target, program)
            self._code[target, program] = (ptx.read((place / "program.ptx").read_text()) if is_nvidia(target) else
                                           amdgcn.read((place / "program.s").read_text()))
        return self._code[target, program]

    def machine_code(self, program):
        """NVIDIA's, by nvdisasm, which Debian does not have; {} without it."""
        self._compile(NVIDIA, program)
        binary = self._place(NVIDIA, program) / "program.cubin"
        if not binary.exists() or not find_nvdisasm():
            return {}
        return sass.read(compilers.run([find_nvdisasm(), "-c", binary]))
