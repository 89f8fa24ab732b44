"""Work comes back the same from one process and from many; faults and warnings do too."""

from __future__ import annotations

import os

import pytest

from gammafind.errors import OptionError, OutputError
from gammafind.utils.workers import in_threads, run_tasks
from tests.contracts.installed import run_python

TASKS = """
import os, signal, sys, warnings
from gammafind.errors import GammafindWarning, OutputError, WorkerError
from gammafind.utils.workers import in_threads, run_tasks

def tell(item):
    warnings.warn(f"warned of {item}", GammafindWarning)
    return item, os.environ["OMP_NUM_THREADS"], os.getpid()

def fail(item):
    raise OutputError("cannot be", path=f"file{item}", remedy="Do not.")

def die(item):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run_script(tmp_path, body, **environment):
    """Run a script whose functions worker processes can import."""
    (tmp_path / "tasks.py").write_text(TASKS)
    done = run_python(f"from tasks import *\n{body}", tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_one_worker_works_here_and_in_order():
    assert list(run_tasks(lambda item: (item, os.getpid()), [3, 1, 2])) == [
        (item, os.getpid()) for item in (3, 1, 2)
    ]


def test_no_items_no_work():
    assert list(run_tasks(abs, [], workers=4)) == []


def test_processes_do_all_items_share_the_cores_and_hand_on_warnings(tmp_path):
    body = """
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    done = sorted(run_tasks(tell, [1, 2, 3, 4], workers=2))
items, threads, processes = zip(*done)
print(items, len(set(threads)), 2 * int(threads[0]) <= max(2, os.cpu_count()))
print(os.getpid() in processes)
print(sorted(str(w.message) for w in caught), os.environ.get("OMP_NUM_THREADS"))
"""
    assert run_script(tmp_path, body) == [
        "(1, 2, 3, 4) 1 True",
        "False",
        "['warned of 1', 'warned of 2', 'warned of 3', 'warned of 4'] None",
    ]


def test_fewer_threads_than_the_share_stay_fewer(tmp_path):
    body = "print({n for _, n, _ in run_tasks(tell, [1, 2], workers=2)})"
    assert run_script(tmp_path, body, OMP_NUM_THREADS="1") == ["{'1'}"]


def test_the_fault_of_a_task_comes_whole(tmp_path):
    body = """
try:
    list(run_tasks(fail, [1, 2], workers=2))
except OutputError as error:
    print(str(error).replace("file2", "file1"))
"""
    assert run_script(tmp_path, body) == ["file1: cannot be. Do not."]


def test_a_process_that_dies_is_named(tmp_path):
    body = """
try:
    list(run_tasks(die, [1, 2], workers=2))
except WorkerError as error:
    print(error.fault)
"""
    assert run_script(tmp_path, body) == ["a worker process ended before its work was complete"]


def test_faults_of_the_only_worker_and_bad_numbers():
    def fail(item):
        raise OutputError("cannot be")

    with pytest.raises(OutputError, match="cannot be"):
        list(run_tasks(fail, [1]))
    with pytest.raises(OptionError, match="0 workers"):
        list(run_tasks(abs, [1, 2], workers=0))


def test_threads_return_in_order():
    assert list(in_threads(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(in_threads(abs, [])) == []


def test_threads_hand_on_what_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda n: 1 // n, [1, 0]))
