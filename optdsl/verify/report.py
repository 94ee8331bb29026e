"""The proof as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from optdsl.verify.compare import Measured

DTYPES = ("float16", "float32", "float64")
HEADINGS = ("spec", "target", "gradients", "cases", "steps", *DTYPES, "of bound", "")
#: The columns of names; the others hold numbers.
NAMES = 3


@dataclass(frozen=True)
class Row:
    """One case of one optimizer in one target."""

    optimizer: str
    target: str
    stream: str
    case: str
    steps: int
    measured: Measured

    @property
    def ok(self) -> bool:
        return not self.measured.failures


@dataclass(frozen=True)
class Report:
    """All the cases that were run; `ok` if the results of all of them are within their bounds."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    def table(self) -> str:
        """A line for each kind of gradients, with the largest errors of a step in ulp.

        What failed stands below, case by case.
        """
        ordered = sorted(self.rows, key=_group)
        cells = [HEADINGS, *(_cells(list(rows)) for _, rows in groupby(ordered, _group))]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [_line(row, widths) for row in cells]
        return "\n".join([*lines, *_failures(self.rows), _summary(self.rows)])


def _group(row: Row) -> tuple[str, str, str]:
    return row.optimizer, row.target, row.stream


def _cells(rows: Sequence[Row]) -> tuple[str, ...]:
    ulps = (max(r.measured.ulps.get(dtype, 0.0) for r in rows) for dtype in DTYPES)
    use = max(r.measured.use for r in rows)
    result = "ok" if all(r.ok for r in rows) else "FAILED"
    counts = str(len(rows)), str(sum(r.steps for r in rows))
    return (*_group(rows[0]), *counts, *(f"{x:.2f}" for x in ulps), f"{use:.0%}", result)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.ljust(width) if i < NAMES else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _failures(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        if not row.ok:
            yield f"\n{row.optimizer}, {row.target}, {row.stream}, {row.case}:"
            failures = row.measured.failures
            yield from (f"  {line}" for failure in failures[:3] for line in failure.splitlines())
            if len(failures) > 3:
                yield f"  … and {len(failures) - 3} more"


def _summary(rows: Sequence[Row]) -> str:
    failed = sum(not row.ok for row in rows)
    return f"\n{len(rows)} cases, {failed} failed"
