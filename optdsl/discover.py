"""Which files a list of specs means: files, folders, names of optimizers of the library."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from optdsl.config import ConfigError, did_you_mean
from optdsl.names import snake_case
from optdsl.resources import SPECS, library_spec

#: What tells a composition from the name of a file.
_COMPOSITION = re.compile(r"^\s*\w+\s*(\(.*?\)\s*)?\sof\s+\w", re.DOTALL)


@dataclass(frozen=True)
class SpecFile:
    """A spec to be read from `path`.

    `name` is how diagnostics call it (seen from the working directory), `title` how the headers of
    generated files do (seen from the project, the same on every machine). A composition that was
    given in place of a file is its `text`, and has no file. `library` are the folders in which the
    parts of compositions are looked up.
    """

    path: Path
    name: str
    title: str
    text: str = ""
    library: tuple[Path, ...] = ()
    root: Path = Path()

    def title_of(self, source: str) -> str:
        """How headers call a source that an optimizer of this spec was made of."""
        return self.title if source == self.name else _title(Path(source), self.root)


def find_specs(
    given: Iterable[str], *, base: Path, root: Path, library: Iterable[str] = ()
) -> tuple[SpecFile, ...]:
    """The files that `given` means, each once, those of a folder by name.

    Paths are relative to the folder `base`; `root` is the project's. Raises ConfigError for a
    name that is neither a path nor a library optimizer, for a folder without specs, and for a
    folder of the library that is none.
    """
    folders = tuple(_folder(base / folder) for folder in library)
    found: dict[Path | str, SpecFile] = {}
    for item in given:
        if _COMPOSITION.search(item):
            found.setdefault(item, _composition(item, folders, root))
            continue
        for path in _paths(item, base):
            file = SpecFile(path, _name(path), _title(path, root), library=folders, root=root)
            found.setdefault(path.resolve(), file)
    return tuple(found.values())


def _folder(path: Path) -> Path:
    if not os.path.isdir(path):
        raise ConfigError(f"there is no folder '{path}' to look optimizers up in")
    return path


def _composition(text: str, library: tuple[Path, ...], root: Path) -> SpecFile:
    """`Accumulate(k=4) of Adam` as a spec: its optimizer is called AccumulateAdam."""
    parts = re.sub(r"\([^)]*\)", "", text).split(" of ")
    name = "".join(re.sub(r"\W", "", part) for part in parts) or "Composition"
    line = " ".join(text.split())
    spec = f"optimizer {name} = {line}\n"
    return SpecFile(Path(snake_case(name) + ".opt"), "<composition>", line, spec, library, root)


def _paths(item: str, base: Path) -> Iterator[Path]:
    path = base / item
    if os.path.isdir(path):  # it takes any text, where Path.is_dir raises on a long one
        specs = sorted(path.rglob("*.opt"))
        if not specs:
            raise ConfigError(f"the folder '{item}' holds no .opt files")
        yield from specs
    elif os.path.lexists(path):
        yield path
    elif (library := library_spec(item)) is not None:
        yield library
    else:
        raise ConfigError(f"there is no spec '{item}'{_mend(item, path)}")


def _mend(item: str, path: Path) -> str:
    """Near names: of files beside the missing one, or of the library."""
    if path.suffix == ".opt" or "/" in item:
        beside = [str(p.relative_to(path.parent)) for p in path.parent.glob("*.opt")]
        mend = did_you_mean(path.name, beside) if beside else ""
    else:
        mend = did_you_mean(item, (p.stem for p in SPECS.rglob("*.opt")))
    return mend if mend.startswith("; did") else ""


def _name(path: Path) -> str:
    """Relative to the working directory where it lies below it, else absolute."""
    path = Path(os.path.abspath(path))
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _title(path: Path, root: Path) -> str:
    path, root = path.resolve(), root.resolve()
    if path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    if path.is_relative_to(SPECS):
        return f"optdsl/specs/{path.relative_to(SPECS).as_posix()}"
    return path.name
