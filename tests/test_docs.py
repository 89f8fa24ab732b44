"""The documentation describes what there is: hooks, commands, options, errors, presets."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from gammafind import errors
from gammafind.catalogue.export import FORMATS
from gammafind.catalogue.flags import Flag
from gammafind.catalogue.io import TABLE_SUFFIXES
from gammafind.catalogue.measured_columns import MEASURED
from gammafind.catalogue.schema import CATALOGUE, SCHEMA_VERSION
from gammafind.cli.main import COMMANDS, parser
from gammafind.presets.preset import PRESET_FORMAT, presets
from gammafind.roles import hooks
from gammafind.roles.base import API_VERSION
from gammafind.roles.discovery import ROLES
from gammafind.roles.registry import get_plugin
from gammafind.simulation.folders import FORMAT

HOOKS = [name for name in vars(hooks) if name.startswith("gammafind_")]
COMMAND_NAMES = list(COMMANDS)
ERRORS = [
    name
    for name, one in vars(errors).items()
    if isinstance(one, type) and issubclass(one, Exception)
]


@pytest.fixture(scope="session")
def docs(root: Path) -> Path:
    """Folder of the documentation's sources."""
    return root / "docs"


def quoted(text: str) -> set[str]:
    """All that stands between backticks on one line."""
    return set(re.findall(r"`+([^`\n]+)`+", text))


def quoted_names(code: str) -> set[str]:
    """Names between quotes in a script."""
    return set(re.findall(r'"(\w+)"', code))


def options_of(command: str) -> set[str]:
    """Long options of a command, without those of every command."""
    (commands,) = [
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    ]
    actions = commands.choices[command]._actions
    known = {name for action in actions for name in action.option_strings if name[:2] == "--"}
    return known - {"--help", "--verbose", "--quiet"}


def test_there_are_five_hooks_one_a_role() -> None:
    assert {name.removeprefix("gammafind_") for name in HOOKS} == {f"{role}s" for role in ROLES}


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_on_the_plugin_page(docs: Path, hook: str) -> None:
    assert hook in quoted((docs / "plugins.md").read_text())


@pytest.mark.parametrize("base", [role.__name__ for role in ROLES.values()])
def test_every_role_says_what_a_plugin_writes(docs: Path, base: str) -> None:
    page = (docs / "plugins.md").read_text()
    assert re.search(rf"^{base}\n: ", page, re.MULTILINE)


@pytest.mark.parametrize("command", COMMAND_NAMES)
def test_every_command_is_in_the_guide(docs: Path, command: str) -> None:
    assert f"## `gammafind {command}`" in (docs / "guide" / "detect.md").read_text()


def test_examples_use_options_that_there_are(docs: Path) -> None:
    lines = [
        line
        for page in docs.rglob("*.md")
        for block in re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("gammafind ")
    ]
    assert lines
    for line in lines:
        assert set(re.findall(r"--[a-z][a-z0-9-]*", line)) <= options_of(line.split()[1]), line


def test_the_guide_names_options_that_there_are(docs: Path) -> None:
    known = set().union(*(options_of(command) for command in COMMAND_NAMES))
    named = quoted((docs / "guide" / "detect.md").read_text())
    shown = {name.split()[0] for name in named if name.startswith("--")}
    assert shown
    assert shown <= known


@pytest.mark.parametrize("command", COMMAND_NAMES)
def test_every_option_is_on_a_page(docs: Path, command: str) -> None:
    text = "".join(page.read_text() for page in docs.rglob("*.md"))
    assert options_of(command) - set(re.findall(r"--[a-z][a-z0-9-]*", text)) == set()


def test_tutorials_and_examples_are_kept_without_what_they_print(docs: Path) -> None:
    tutorials = sorted((docs / "tutorials").glob("*.md"))
    pages = [page for page in tutorials if page.stem != "index"]
    assert len(pages) == 6
    for page in pages:
        text = page.read_text()
        assert "file_format: mystnb" in text, page.name
        assert f"{{nb-download}}`{page.stem}.ipynb`" in text, page.name
    assert len(list((docs / "examples").glob("plot_*.py"))) == 10
    assert list((docs / "tutorials").glob("*.ipynb")) == []


def test_the_architecture_places_every_part_of_the_package(root: Path, docs: Path) -> None:
    page = quoted((docs / "architecture.md").read_text())
    parts = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in (root / "gammafind").iterdir()
        if not path.name.startswith("_")
    }
    assert parts - page == set()


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_and_warning_is_explained(docs: Path, name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", (docs / "guide" / "errors.md").read_text(), re.MULTILINE)


def test_every_column_of_the_catalogue_is_explained_with_its_unit(docs: Path) -> None:
    page = (docs / "guide" / "columns.md").read_text()
    explained = {
        name: units
        for names, units in re.findall(r"^\| (.*`.*) \| (.*)\| .* \|$", page, re.MULTILINE)
        for name in quoted(names)
    }
    instruments = (get_plugin("renderer", name)() for name in ("fermi-lat", "meerlicht"))
    columns = [*CATALOGUE, *(column for one in instruments for column in one.published)]
    assert explained.keys() == {column.name for column in columns}
    for column in columns:
        assert explained[column.name].strip().startswith(column.unit), column.name


def test_every_measured_column_is_explained(docs: Path) -> None:
    """Errors follow their column, and systematic errors those of `Flux`."""
    pages = [docs / "guide" / f"{name}.md" for name in ("columns", "measure", "light_curves")]
    pages.append(docs / "guide" / "associate.md")
    known = set().union(*(quoted(page.read_text()) for page in pages))
    fluxes = r"Flux1000|Energy_Flux100|Energy_Flux|Flux_Band"
    for column in MEASURED:
        general = re.sub(rf"^(Sys_(?:[A-Z][A-Za-z]+_)?)(?:{fluxes})$", r"\1Flux", column.name)
        assert {column.name, column.name.removeprefix("Unc_"), general} & known, column.name


def test_every_column_of_a_classifier_is_explained(docs: Path) -> None:
    page = (docs / "guide" / "columns.md").read_text()
    names = ("prob_<class>", "cutout_inside", "real_probability", "cutout_saturated")
    assert set(names) <= quoted(page)


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_every_format_is_in_the_guide(docs: Path, suffix: str) -> None:
    page = (docs / "guide" / "inputs.md").read_text()
    assert {suffix, suffix.removesuffix(".gz")} & quoted(page)


def test_the_presets_are_those_of_the_guide(docs: Path) -> None:
    page = (docs / "guide" / "presets.md").read_text()
    listed = re.findall(r"^\| `((?:fermi-lat|meerlicht)[a-z0-9-]*)` \|", page, re.MULTILINE)
    own = [name for name, preset in presets().items() if preset.source.startswith("gammafind.")]
    assert sorted(listed) == sorted(own)


def test_every_page_is_reached_from_the_index(docs: Path) -> None:
    pages = {p for p in docs.rglob("*.md") if not {"_build", "api"} & set(p.parts)}
    reached, fresh = set(), {docs / "index.md"}
    while fresh:
        page = fresh.pop()
        reached.add(page)
        for entries in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(), re.DOTALL):
            named = re.findall(r"^([a-z0-9_/.]+)$", entries, re.MULTILINE)
            written = set(named) - {"gallery/index"}  # The gallery is made by the build.
            fresh |= {page.parent / f"{name}.md" for name in written} - reached
    assert reached == pages


def test_links_between_pages_lead_somewhere(root: Path, docs: Path) -> None:
    pages = [root / "README.md", root / "CONTRIBUTING.md", *docs.rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_of_the_project_that_pages_name_are_there(root: Path, docs: Path) -> None:
    named = {
        name
        for page in [root / "README.md", root / "CONTRIBUTING.md", *docs.rglob("*.md")]
        for name in quoted(page.read_text())
        if re.fullmatch(r"(benchmarks|tests|tools|gammafind)/[\w/.-]+", name)
    }
    assert [name for name in sorted(named) if not (root / name).exists()] == []
    assert any(name.startswith("benchmarks/") for name in named)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_readme_marks_the_commands_that_ci_runs(root: Path, name: str) -> None:
    readme = (root / "README.md").read_text()
    block = re.search(rf"^<!-- command: {name} -->\n```bash\n(.+)\n```$", readme, re.MULTILINE)
    assert block
    assert "python3 -m venv .venv && " in block[1]
    assert f"run_readme_command {name}\n" in (root / ".ci" / "run").read_text()


def test_pages_show_all_pictures_and_no_others(root: Path, docs: Path) -> None:
    pages = [root / "README.md", *docs.rglob("*.md")]
    shown = {
        name for page in pages for name in re.findall(r"images/(\w+\.png)\)", page.read_text())
    }
    assert shown == {path.name for path in (docs / "images").iterdir()}


def test_each_picture_is_made_by_the_script(root: Path, docs: Path) -> None:
    scripts = (
        root / "tools" / "make_docs_figures.py",
        root / "benchmarks" / "population_figures.py",
    )
    made = quoted_names("".join(script.read_text() for script in scripts))
    assert {path.stem for path in (docs / "images").iterdir()} <= made


def test_every_flag_is_in_the_guide(docs: Path) -> None:
    page = (docs / "guide" / "columns.md").read_text()
    for flag in Flag:
        assert f"| {int(flag)} | `{flag.name}` |" in page


def test_every_format_of_exports_is_in_the_guide(docs: Path) -> None:
    page = quoted((docs / "guide" / "formats.md").read_text())
    assert {one.suffix for one in FORMATS} - {".fit", ".fit.gz", ".yml"} <= page


def test_flags_have_their_numbers_on_every_page(docs: Path) -> None:
    for page in docs.rglob("*.md"):
        text = page.read_text()
        rows = re.findall(r"^\| `?([A-Z_]+)`? \| (\d+) \|", text, re.MULTILINE)
        rows += re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", text, re.MULTILINE)
        rows += re.findall(r"the bit (\d+), `([A-Z_]+)`", text)
        for pair in rows:
            name, number = sorted(pair, key=str.isdigit)
            if name in Flag.__members__:
                assert int(number) == Flag[name], f"{page.name}: {name}"


def test_the_interface_of_plugins_and_the_formats_of_files_are_those_of_the_page(
    docs: Path,
) -> None:
    page = (docs / "versions.md").read_text()
    versions = {
        "the interface of plugins": API_VERSION,
        "presets": PRESET_FORMAT,
        "catalogues": SCHEMA_VERSION,
        "folders of simulations and injections": FORMAT,
    }
    for what, version in versions.items():
        assert re.search(rf"^\| {what} \| .* \| {version} \|", page, re.MULTILINE), what


def test_the_new_release_has_notes(docs: Path) -> None:
    assert (docs / "releases" / "0.2.md").exists()


def test_no_page_shows_one_table_twice(docs: Path) -> None:
    for page in docs.rglob("*.md"):
        tables = re.findall(r"<!-- from: [^\n]*\n((?:\|.*\n)+)", page.read_text())
        assert len(tables) == len(set(tables)), page.name
