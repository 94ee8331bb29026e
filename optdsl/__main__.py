"""`python -m optdsl` is the command `optdsl`."""

from optdsl.cli import main

main()
