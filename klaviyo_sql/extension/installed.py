"""Where the extension is, and which Python it asks."""

from __future__ import annotations

import sys
from pathlib import Path

from klaviyo_sql.errors import InterfaceError
from klaviyo_sql.extension import build

LIBRARY = build.FOLDER / build.NAME
NOTE = build.FOLDER / "klaviyo.python"
"""A line beside the library that names the Python which has the package."""


def library() -> Path:
    """The extension's path; from now on it asks this Python. InterfaceError when it was not built, or would not find it."""
    if not LIBRARY.exists():
        raise InterfaceError(
            "The extension was not built when klaviyo-sql was installed: there was no C compiler, or SQLite's headers were missing "
            f"({build.HOW}). klaviyo-sql extension-path --build builds it now."
        )
    note(sys.executable)
    return LIBRARY


def built() -> Path:
    """The same, compiled anew; InterfaceError when that fails."""
    try:
        build.build()
    except build.BuildError as error:
        raise InterfaceError(str(error)) from None
    except OSError as error:
        raise InterfaceError(f"The extension cannot be put into {build.FOLDER}: {error.strerror}.") from None
    return library()


def note(python: str) -> None:
    """Note the Python beside the library; InterfaceError where that is not allowed and the library would not find it by itself."""
    if not python:
        raise InterfaceError("This Python does not know its own path: set KLAVIYO_SQL_PYTHON to it for programs that load the extension.")
    try:
        if NOTE.exists() and NOTE.read_text(encoding="utf-8").strip() == python:
            return
        NOTE.write_text(f"{python}\n", encoding="utf-8")
    except OSError as error:
        if not _is_found(python):
            raise InterfaceError(
                f"{NOTE} cannot be written ({error.strerror}), so the extension would not find its Python: set KLAVIYO_SQL_PYTHON={python} for "
                "programs that load it."
            ) from None


def _is_found(python: str) -> bool:
    """Whether the library finds this Python without a note: in the virtual environment that it lies in."""
    levels = list(build.FOLDER.resolve().parents)[:6]
    environment = next((level for level in levels if (level / "pyvenv.cfg").exists()), None)
    return not NOTE.exists() and environment is not None and Path(python) in (environment / "bin" / "python", environment / "bin" / "python3")
