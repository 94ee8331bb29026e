"""What a child process does before it imports a framework, and how it hands back results."""

import argparse
import json
import os
import sys

#: How many threads everybody may use. The parent says it in the one variable that all read.
THREADS = int(os.environ.get("OMP_NUM_THREADS", "1"))


def start(*arguments):
    """Parses the command line, and pins the process to as many CPUs as threads are asked for."""
    parser = argparse.ArgumentParser()
    for name in ("output", *arguments):
        parser.add_argument(name)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-THREADS:])
    return options


def hand_back(options, result):
    """Appends a line of JSON to the output; a crash later does not take it along."""
    with open(options.output, "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def say(text):
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
