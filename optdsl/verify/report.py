"""The proof as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optdsl.verify.compare import Measured

HEADINGS = ("spec", "target", "case", "steps", "ulp a step", "bound", "of bound", "in all", "")


@dataclass(frozen=True)
class Row:
    """One case of one optimizer in one target."""

    optimizer: str
    target: str
    case: str
    steps: int
    measured: Measured

    @property
    def ok(self) -> bool:
        return not self.measured.failures

    def cells(self) -> tuple[str, ...]:
        m = self.measured
        numbers = (f"{m.ulps:.2f}", f"{m.bound:.2f}", f"{m.use:.0%}", f"{m.drift:.1f}")
        result = "ok" if self.ok else "FAILED"
        return (self.optimizer, self.target, self.case, str(self.steps), *numbers, result)


@dataclass(frozen=True)
class Report:
    """All the cases that were run; `ok` if all of them are within their bounds."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    def table(self) -> str:
        """A row a case, then what failed, in a few lines each."""
        cells = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [_line(row, widths) for row in cells]
        return "\n".join([*lines, *_failures(self.rows), _summary(self.rows)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, numbers to the right."""
    padded = (
        cell.rjust(width) if 3 <= i <= 7 else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(padded).rstrip()


def _failures(rows: Iterable[Row]) -> Iterable[str]:
    for row in rows:
        if not row.ok:
            yield f"\n{row.optimizer}, {row.target}, {row.case}:"
            yield from (
                f"  {line}"
                for failure in row.measured.failures[:3]
                for line in failure.splitlines()
            )
            if len(row.measured.failures) > 3:
                yield f"  … and {len(row.measured.failures) - 3} more"


def _summary(rows: Sequence[Row]) -> str:
    failed = sum(not row.ok for row in rows)
    return f"{len(rows)} cases, {failed} failed"
