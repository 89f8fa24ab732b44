"""The table of faults: reader, writer and process by fault, and how many ended as they should.

Usage: ``python benchmarks/faults.py [--long]``. Runs the tests of ``tests/faults`` and counts them;
``--long`` tries more moments of a kill and more damaged files, which takes half an hour.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from results import kept

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = {
    "test_readers": "readers by fault",
    "test_tables": "tables that mislead or reach for other files",
    "test_numbers": "numbers that are not finite or too large",
    "test_writers": "writers by fault",
    "test_outside_text": "names in each format",
    "test_catalogues": "columns and metadata shown and written; epochs; new plugins",
    "test_processes": "processes by signal and stream",
    "test_fuzz": "damaged files, one batch",
    "test_symmetries": "symmetries",
}


@kept("faults")
def main() -> None:
    """Run the tests and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true")
    longer = {"GAMMAFIND_LONG_FAULTS": "1", "GAMMAFIND_FUZZ": "20000"}
    environment = {**os.environ, **(longer if parser.parse_args().long else {})}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "tests/faults", f"--junitxml={report}"]
        subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=subprocess.DEVNULL)
        cases = ElementTree.parse(report).getroot().iter("testcase")
        outcomes = Counter(
            (case.get("classname", "").rpartition(".")[2], _outcome(case)) for case in cases
        )
    print("| what | cases | as they should | not | left out |")
    print("|---|---|---|---|---|")
    for module, subject in SUBJECTS.items():
        good, bad, skipped = (outcomes[module, one] for one in ("passed", "failed", "skipped"))
        print(f"| {subject} | {good + bad + skipped} | {good} | {bad} | {skipped} |")


def _outcome(case: ElementTree.Element) -> str:
    if case.find("skipped") is not None:
        return "skipped"
    return "failed" if len(case.findall("failure") + case.findall("error")) else "passed"


if __name__ == "__main__":
    main()
