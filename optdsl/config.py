"""What `[tool.optdsl]` in a pyproject.toml says: which specs, for which targets, to where."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optdsl.targets.names import TARGET_NAMES


class ConfigError(Exception):
    """The settings cannot be used; the text says which, where, and what is expected."""


@dataclass(frozen=True)
class Config:
    """The settings of a project, paths relative to `root`.

    `specs` are files, folders, names of library optimizers or compositions; `library` are folders
    in which the parts of compositions are looked up; `is_explicit` is False where no
    pyproject.toml from the working directory upwards has the table, and all of it is default.
    """

    root: Path
    specs: tuple[str, ...] = ()
    targets: tuple[str, ...] = TARGET_NAMES
    output: str = "generated"
    library: tuple[str, ...] = ()
    is_explicit: bool = True


def load_config(folder: Path) -> Config:
    """The settings that hold in `folder`: those of the nearest pyproject.toml with the table.

    Raises ConfigError if that file cannot be read or says something that makes no sense.
    """
    for parent in (folder, *folder.parents):
        file = parent / "pyproject.toml"
        if file.is_file() and (table := _table(file)) is not None:
            return _config(file, table)
    return Config(root=folder, is_explicit=False)


def _table(file: Path) -> dict[str, Any] | None:
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{file} is no TOML: {error}") from None
    table = tool.get("optdsl") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: tool.optdsl has to be a table")
    return table


def _config(file: Path, table: dict[str, Any]) -> Config:
    _check_keys(file, table)
    targets = _strings(file, table, "targets", TARGET_NAMES)
    try:
        check_targets(targets)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None
    output = table.get("output", Config.output)
    if not isinstance(output, str) or not output:
        raise ConfigError(f"{file}: 'output' of [tool.optdsl] has to be the name of a folder")
    specs, library = (_strings(file, table, key, ()) for key in ("specs", "library"))
    return Config(file.parent, specs, targets, output, library)


def _check_keys(file: Path, table: dict[str, Any]) -> None:
    known = ("specs", "targets", "output", "library")
    for key in table:
        if key not in known:
            mend = did_you_mean(key, known)
            raise ConfigError(f"{file}: [tool.optdsl] has no setting '{key}'{mend}")


def _strings(
    file: Path, table: dict[str, Any], key: str, default: tuple[str, ...]
) -> tuple[str, ...]:
    value = table.get(key, default)
    if not isinstance(value, (list, tuple)) or not all(isinstance(x, str) and x for x in value):
        raise ConfigError(f"{file}: '{key}' of [tool.optdsl] has to be a list of texts")
    return tuple(value)


def check_targets(targets: Iterable[str]) -> None:
    """Raises ConfigError at the first name that is no target's."""
    for name in targets:
        if name not in TARGET_NAMES:
            mend = did_you_mean(name, TARGET_NAMES)
            raise ConfigError(f"there is no target '{name}'{mend}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """What to say after an unknown name: the nearest known one, or all where none is near."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there are {', '.join(known)}" if len(known) <= 5 else ""
