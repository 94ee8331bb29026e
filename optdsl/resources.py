"""Where the library of specs and the templates are: in a checkout at its top, in a wheel inside."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PACKED = _PACKAGE / "_data"
_ROOT = _PACKED if _PACKED.is_dir() else _PACKAGE.parent

#: The folder with one `.opt` file per optimizer of the library; one per schedule lies below.
SPECS = _ROOT / "specs"

#: The folder with one folder of Jinja templates per target, and `common` for what several include.
TEMPLATES = _ROOT / "templates"


def library_spec(name: str) -> Path | None:
    """The file of a library optimizer or schedule, called by its file's name without `.opt`; None
    if there is none.
    """
    paths = (SPECS / f"{name}.opt", SPECS / "schedules" / f"{name}.opt")
    # os.path.isfile takes any text, where Path.is_file raises on a long one.
    return next((p for p in paths if name.isidentifier() and os.path.isfile(p)), None)
