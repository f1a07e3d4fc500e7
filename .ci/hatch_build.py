"""Compiles the native kernels into the wheel where a C++ compiler is; else it is pure Python."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("enasdsl/nn/native")


class NativeKernels(BuildHookInterface[Any]):
    """What hatch calls before it packs a wheel, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        folder = Path(self.root) / NATIVE
        sys.path.insert(0, str(folder))
        from building import build  # by itself: the package needs torch, and this does not

        library, reason = build(folder)
        if library is None:
            self.app.display_warning(f"without native kernels: {reason}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append(f"/{library.relative_to(self.root)}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
