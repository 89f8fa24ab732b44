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
    "test_readers": "readers",
    "test_tables": "tables",
    "test_numbers": "numbers",
    "test_writers": "writers",
    "test_commands": "commands",
    "test_outside_text": "names",
    "test_catalogues": "catalogues",
    "test_processes": "processes",
    "test_fuzz": "damaged files",
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
            (case.get("classname", "").rpartition(".")[2], _rule(case), _outcome(case))
            for case in cases
        )
    print("| of | rule | cases | hold | do not | left out |")
    print("|---|---|---|---|---|---|")
    for module, subject in SUBJECTS.items():
        rules = dict.fromkeys(rule for where, rule, _ in outcomes if where == module)
        for rule in rules:
            _print(subject, rule, [outcomes[module, rule, one] for one in _OUTCOMES])
    total = [sum(n for key, n in outcomes.items() if key[2] == one) for one in _OUTCOMES]
    _print("all", "", total)


_OUTCOMES = ("passed", "failed", "skipped")


def _print(subject: str, rule: str, counts: list[int]) -> None:
    print(f"| {subject} | {rule} | {sum(counts)} | {' | '.join(map(str, counts))} |")


def _rule(case: ElementTree.Element) -> str:
    """Name of a test as a sentence."""
    name = case.get("name", "").partition("[")[0]
    return name.removeprefix("test_").replace("_", " ")


def _outcome(case: ElementTree.Element) -> str:
    if case.find("skipped") is not None:
        return "skipped"
    return "failed" if len(case.findall("failure") + case.findall("error")) else "passed"


if __name__ == "__main__":
    main()
