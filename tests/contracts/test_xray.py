"""The X-ray telescope of the docs keeps its contracts, within the lines that the page states."""

from __future__ import annotations

import re
from pathlib import Path

from tests.contracts.installed import TESTS, install, run_python

EXAMPLE = TESTS / "example_xray"
CHECKED = """
from gammafind import detect, get_plugin, simulate
from gammafind.testing import check_population, check_renderer
check_population(get_plugin("population", "xray-sky"), number=200)
check_renderer(get_plugin("renderer", "xray-telescope"), any_pixels=True)
sky = simulate("xray", seed=1, options={"population": {"number": 300}})
found = detect(sky.observation, preset="xray", measure=False)
assert 200 < len(found) < 320, len(found)
"""


def test_the_telescope_keeps_its_contracts_and_its_sources_are_found(tmp_path):
    install(EXAMPLE, tmp_path)
    done = run_python(CHECKED, tmp_path, GAMMAFIND_PLUGINS="xray", PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr


def test_telescope_population_preset_and_recipe_have_the_lines_that_the_page_states(root: Path):
    page = (root / "docs" / "plugin_in_ten_minutes.md").read_text()
    files = {
        name: sum(bool(line.strip()) for line in (EXAMPLE / name).read_text().splitlines())
        for name in ("gammafind_xray/__init__.py", "gammafind_xray/xray.toml", "recipe.toml")
    }
    stated = dict(re.findall(r"^\| `([\w./]+)` \| (\d+) \|", page, re.MULTILINE))
    assert {name: int(lines) for name, lines in stated.items()} == files
    assert sum(files.values()) <= 100
