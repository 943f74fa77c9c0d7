"""What the extension runs to have a worker: it takes the package that this file lies in, wherever that is, and changes no path on which modules are found."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent

if __name__ == "__main__":
    spec = importlib.util.spec_from_file_location(_PACKAGE.name, _PACKAGE / "__init__.py", submodule_search_locations=[str(_PACKAGE)])
    assert spec is not None  # noqa: S101 - the file is there: it is beside this one
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE.name] = module
    spec.loader.exec_module(module)
    from klaviyo_sql.extension import worker

    worker.main()
