"""Builds the loadable extension into the wheel, where there is a C compiler and SQLite's headers; otherwise the package is installed without it."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ExtensionHook(BuildHookInterface):
    """Compiles, and says that the wheel is of this kind of machine, and of any Python: the extension links none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        spec = importlib.util.spec_from_file_location("extension_build", Path(self.root) / "klaviyo_sql" / "extension" / "build.py")
        assert spec is not None  # noqa: S101 - the file is there
        assert spec.loader is not None  # noqa: S101
        building = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(building)
        target = building.FOLDER / building.NAME
        try:
            building.build(target)
        except building.BuildError as error:
            target.unlink(missing_ok=True)
            self.app.display_warning(f"{error} klaviyo-sql is installed without it; klaviyo-sql extension-path --build makes up for it later.")
            return
        build_data["artifacts"].append(f"klaviyo_sql/extension/{building.NAME}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
