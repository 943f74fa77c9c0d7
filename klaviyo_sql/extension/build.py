"""Compiles the loadable extension, with the C compiler and SQLite's headers that are there. Imports nothing of the package: installing it runs this file."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
NAME = "klaviyo.dylib" if sys.platform == "darwin" else "klaviyo.so"
FLAGS = ("-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")

HOW = {"darwin": "xcode-select --install"}.get(sys.platform, "on Debian and Ubuntu: apt install gcc libc6-dev libsqlite3-dev")


class BuildError(Exception):
    """The extension cannot be built; a sentence that says why, and what to do."""


def build(target: Path | None = None, *, flags: Sequence[str] = FLAGS) -> Path:
    """Compile the extension into `target` (default: beside this file), where it takes effect at once; BuildError when that fails."""
    target = target or FOLDER / NAME
    command = compiler()
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        # Put in place by its name: a program that has the old one loaded keeps it.
        made = Path(folder) / NAME
        sources = sorted(str(path) for path in (FOLDER / "source").glob("*.c"))
        whole = [*command, *flags, *_linking(), "-o", str(made), *sources, *_libraries()]
        done = _run(whole)
        if done.returncode or not made.exists():
            raise BuildError(lacking() or f"The extension cannot be built: {command[0]} failed:\n{done.stderr.strip()[-2000:]}")
        made.replace(target)
    return target


def lacking() -> str | None:
    """What the machine lacks for building it, as a sentence: a C compiler or SQLite's headers; None when both are there."""
    try:
        done = _run([*compiler(), "-fsyntax-only", "-x", "c", "-"], "#include <sqlite3ext.h>\n")
    except BuildError as error:
        return str(error)
    return f"The extension cannot be built: SQLite's headers are missing ({HOW})." if done.returncode else None


def _run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"The extension cannot be built: {command[0]} cannot be run: {error.strerror}.") from None


def compiler() -> list[str]:
    """The C compiler that CC names, or the usual one; BuildError when there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    if named:
        return named
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if sys.platform == "win32" or found is None:
        raise BuildError(f"The extension cannot be built: there is no C compiler ({HOW}).")
    return [found]


def _linking() -> list[str]:
    if sys.platform == "darwin":
        return ["-dynamiclib"]
    # SQLite unloads an extension with its connection, and what it knows of the worker process would be lost with it.
    return ["-shared", "-Wl,-z,nodelete", "-Wl,--as-needed"]


def _libraries() -> list[str]:
    # Parts of libc that were libraries of their own once.
    return [] if sys.platform == "darwin" else ["-lpthread", "-ldl"]


if __name__ == "__main__":
    try:
        print(build())
    except BuildError as error:
        sys.exit(str(error))
