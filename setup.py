"""The compiled engine, which is optional: where it does not build, torch computes in its place.

It is a plain shared library that Python loads by ctypes. It knows nothing of Python, so that its name carries no
tag of an ABI, and one wheel a platform serves every version of Python.
"""

import hashlib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

FOLDER = Path("model/native")
SOURCES = sorted(FOLDER.glob("*.cpp"))
HEADERS = sorted(FOLDER.glob("*.h"))
# No -ffast-math and no -fno-signed-zeros: both zeros must tie, and sums must have one order.
FLAGS = {
    "unix": ["-std=c++17", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"],
    "msvc": ["/std:c++17", "/O2", "/fp:precise", "/EHsc"],
}


def digest() -> str:
    """SHA-256 of all sources, by which a library is recognised that was built from others."""
    content = b"".join(file.name.encode() + file.read_bytes().replace(b"\r\n", b"\n") for file in SOURCES + HEADERS)
    return hashlib.sha256(content).hexdigest()


class BuildLibrary(build_ext):
    """Builds a shared library, and no extension module."""

    def build_extensions(self) -> None:
        for extension in self.extensions:
            extension.extra_compile_args = FLAGS.get(self.compiler.compiler_type, FLAGS["unix"])
        super().build_extensions()

    def get_ext_filename(self, fullname: str) -> str:
        """Without the tag of an ABI."""
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """None besides those that the sources name: there is no PyInit."""
        return []


class AnyPython(bdist_wheel):
    """A wheel of a platform, for any Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])


setup(
    ext_modules=[
        Extension(
            "mizzle.model.native.libmizzle",
            list(map(str, SOURCES)),
            depends=list(map(str, HEADERS)),
            define_macros=[("MIZZLE_SOURCES", f'"{digest()}"')],
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": AnyPython},
)
