"""One module per export format; a new format is one more file here."""

import importlib
import pkgutil

from avseg_core.results.exporters.base import EXPORTERS, Exporter, ExportOptions

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["EXPORTERS", "ExportOptions", "Exporter"]
