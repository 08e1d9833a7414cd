"""The compiled engine, which is optional: where it does not build, torch computes in its place.

It is a plain shared library that Python loads by ctypes. It knows nothing of Python, so that its name has no
tag of an ABI, and one wheel a platform serves every version of Python.

The wheel also has a bill of materials, as the page's libraries in it come from elsewhere.
"""

import hashlib
import json
import os
import platform
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

NAME = "mizzle.model.native.libmizzle"
FOLDER = Path("model/native")
SOURCES = sorted(FOLDER.glob("*.cpp"))
HEADERS = sorted(FOLDER.glob("*.h"))
VENDOR = Path("service/page/vendor")
# No -ffast-math and no -fno-signed-zeros: both zeros must tie, and sums must have one order.
FLAGS = {
    "unix": ["-std=c++17", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"],
    "msvc": ["/std:c++17", "/O2", "/fp:precise", "/EHsc"],
}

# The same sources for processors that can do more; `mizzle.model.native.library` loads the best that runs.
LEVELS = {
    "": [],
    "_v3": ["-mavx2", "-mfma", "-mbmi", "-mbmi2", "-mlzcnt"],
    "_v4": [
        *("-mavx512f", "-mavx512bw", "-mavx512cd", "-mavx512dq", "-mavx512vl"),
        "-mprefer-vector-width=512",
    ],
}
LEVELS["_v4"] += LEVELS["_v3"]


def levels() -> list[str]:
    """Levels that are built: beyond the plain one those of x86-64, for compilers that know these flags."""
    cross = "arm64" in os.environ.get("ARCHFLAGS", "")
    return [""] if cross or os.name == "nt" or platform.machine() not in ("x86_64", "AMD64") else [*LEVELS]


def digest() -> str:
    """SHA-256 of all sources, by which a library is recognised that was built from others."""
    content = b"".join(
        file.name.encode() + file.read_bytes().replace(b"\r\n", b"\n") for file in SOURCES + HEADERS
    )
    return hashlib.sha256(content).hexdigest()


def is_current(built: str, source: str) -> bool:
    """Whether an object is newer than its source, all headers and this file; that of the digest never is."""
    if not os.path.exists(built) or source.endswith("interface.cpp"):
        return False
    read = [source, __file__, *map(str, HEADERS)]
    return os.path.getmtime(built) > max(map(os.path.getmtime, read))


def is_built(library: Path) -> bool:
    """Whether a library in place was built from these sources, since this file was written."""
    if not library.exists() or os.path.getmtime(library) <= os.path.getmtime(__file__):
        return False
    return digest().encode() in library.read_bytes()


def level_of(extension: Extension) -> str:
    return str(extension.name).removeprefix(NAME)


class BuildLibrary(build_ext):
    """Builds shared libraries, and no extension modules."""

    def run(self) -> None:
        """In place, as for an editable install, only what is not there of these sources; by --force, all."""
        there = self.inplace and all(is_built(FOLDER / f"libmizzle{level}.so") for level in levels())
        if self.force or not there:
            super().run()

    def build_extensions(self) -> None:
        flags = FLAGS.get(self.compiler.compiler_type, FLAGS["unix"])
        for extension in self.extensions:
            extension.extra_compile_args = [*flags, *LEVELS[level_of(extension)]]
        self._compile_side_by_side()
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        """In a folder of its own: all levels have the same sources."""
        folder = self.build_temp
        self.build_temp = os.path.join(folder, "level" + level_of(ext))
        try:
            super().build_extension(ext)
        finally:
            self.build_temp = folder

    def _compile_side_by_side(self) -> None:
        """As many sources at once as there are processors, and only those that changed."""
        compile_all = self.compiler.compile

        def compile_one(source: str, **options: Any) -> list[str]:
            objects: list[str] = self.compiler.object_filenames([source], output_dir=options["output_dir"])
            return objects if is_current(objects[0], source) else compile_all([source], **options)

        def compile_each(sources: list[str], **options: Any) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = pool.map(lambda source: compile_one(source, **options), sources)
                return [name for names in objects for name in names]

        self.compiler.compile = compile_each

    def get_ext_filename(self, fullname: str) -> str:
        """Without the tag of an ABI."""
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """None besides those that the sources name: there is no PyInit."""
        return []


def materials(name: str, version: str, licence: str) -> dict[str, Any]:
    """The wheel's bill of materials (CycloneDX 1.6): what comes from elsewhere, and the weights.

    It has no date and no serial number, so that the same sources give the same bytes.
    """
    vendored: dict[str, dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())
    libraries = [library(npm_name, entry) for npm_name, entry in sorted(vendored.items())]
    weights = [
        {"type": "machine-learning-model", **file_entry(path, f"mizzle/{path.as_posix()}")}
        for path in sorted(Path("model/weights").glob("*.safetensors"))
    ]
    purl = f"pkg:pypi/{name}@{version}"
    own = {"type": "application", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**own, "licenses": [{"expression": licence}]}},
        "components": libraries + weights,
        "dependencies": [{"ref": purl, "dependsOn": [part["bom-ref"] for part in libraries + weights]}],
    }


def library(npm_name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A library of the page, with its files as they lie in the wheel."""
    group, _, name = npm_name.rpartition("/")
    purl = f"pkg:npm/{npm_name.replace('@', '%40')}@{entry['version']}"
    files = [file_entry(VENDOR / path, f"mizzle/{(VENDOR / path).as_posix()}") for path in entry["files"]]
    return {
        "type": "library",
        "bom-ref": purl,
        **({"group": group} if group else {}),
        "name": name,
        "version": entry["version"],
        "licenses": [{"license": {"id": entry["licence"]}}],
        "purl": purl,
        "components": [{"type": "file", **file} for file in files],
    }


def file_entry(path: Path, name: str) -> dict[str, Any]:
    """A file by its name in the wheel, with its SHA-256."""
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"bom-ref": name, "name": name, "hashes": [{"alg": "SHA-256", "content": content}]}


class Wheel(bdist_wheel):
    """A wheel of a platform, for any Python, with its bill of materials (PEP 770)."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])

    def egg2dist(self, egginfo_path: str, distinfo_path: str) -> None:
        super().egg2dist(egginfo_path, distinfo_path)
        about = self.distribution.metadata
        bill = materials(about.get_name(), about.get_version(), about.license_expression)
        folder = Path(distinfo_path) / "sboms"
        folder.mkdir()
        (folder / f"{about.get_name()}.cdx.json").write_bytes(json.dumps(bill, indent=1).encode())


setup(
    ext_modules=[
        Extension(
            NAME + level,
            list(map(str, SOURCES)),
            depends=list(map(str, HEADERS)),
            define_macros=[("MIZZLE_SOURCES", f'"{digest()}"')],
            language="c++",
            optional=True,
        )
        for level in levels()
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": Wheel},
)
