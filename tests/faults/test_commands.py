"""Command by fault of its input: one short line that names the file, and no output."""

from __future__ import annotations

import shlex

import pytest

from gammafind.catalogue.io import write_table
from gammafind.cli.main import main
from tests.cli.toy import toy_file, toy_truth
from tests.faults.permissions import permissions_hold

pytestmark = pytest.mark.usefixtures("toy")

CATALOGUES = {
    "far": "name,ra,dec\na,1e300,2\nb,3,4\n",
    "outside": "name,ra,dec\na,1,91\nb,3,4\n",
    "wide": ",".join(f"c{i}" for i in range(20_000)) + "\n" + ",".join("1" * 20_000) + "\n",
    "open quotation mark": 'name,ra,dec\n"a,1,2\nb,3,4\n',
    "ragged": "name,ra,dec\na,1\n",
    "one word": "x\n",
}
COMMANDS = [
    "measure counts.fits --preset toy --catalogue hostile.csv -o x.ecsv",
    "probe counts.fits --preset toy --positions hostile.csv --catalogue truth.ecsv -o x.ecsv",
    "probe counts.fits --preset toy --positions truth.ecsv --catalogue hostile.csv -o x.ecsv",
    "associate truth.ecsv --error 1deg --with hostile.csv --class psr -o x.ecsv",
    "diff truth.ecsv hostile.csv -o x.ecsv",
    "evaluate truth.ecsv hostile.csv -o x.ecsv",
    "detect counts.fits --preset toy --extended hostile.csv -o x.ecsv",
    "export hostile.csv -o x.ecsv",
    "classify hostile.csv -o x.ecsv",
    "send hostile.csv",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    toy_file(tmp_path / "counts.fits")
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def last_line(capsys):
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) <= 520 and line.isprintable() for line in lines)
    return lines[-1]


@pytest.mark.parametrize("fault", CATALOGUES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_that_is_no_catalogue_is_named(folder, capsys, command, fault):
    (folder / "hostile.csv").write_text(CATALOGUES[fault])
    assert main(command.split()) == 1
    assert "hostile.csv: " in last_line(capsys)
    assert sorted(path.name for path in folder.iterdir()) == [
        "counts.fits",
        "hostile.csv",
        "truth.ecsv",
    ]


@pytest.mark.parametrize("value", ["9" * 5000, "\x1b[31m" * 200], ids=["digits", "marks"])
def test_a_value_of_any_length_is_refused_in_short(folder, capsys, value):
    with pytest.raises(SystemExit):
        main(["detect", "counts.fits", "-o", "x.ecsv", "--workers", value])
    last_line(capsys)


def test_messages_that_are_no_errors_are_short_too(folder, capsys):
    label = "x" * 5000
    command = "associate truth.ecsv --error 1deg --with truth.ecsv --class psr -o x.ecsv --label"
    assert main([*command.split(), label]) == 0
    last_line(capsys)


@pytest.mark.parametrize("name", ["nope", "a/b", "/dev/zero", "x" * 5000, "\x1b[31m"])
@pytest.mark.parametrize("option", ["--beside", "--localiser", "--preset", "--extended"])
def test_names_that_nothing_has_are_refused_before_work(folder, capsys, option, name):
    command = ["detect", "counts.fits", "--preset", "toy", option, name, "-o", "x.ecsv"]
    assert main(command) == 1
    last_line(capsys)
    assert sorted(path.name for path in folder.iterdir()) == ["counts.fits", "truth.ecsv"]


@pytest.mark.skipif(not permissions_hold(), reason="root enters all")
@pytest.mark.parametrize("command", [one for one in COMMANDS if "hostile" in one])
def test_a_catalogue_in_a_folder_that_may_not_be_entered_is_named(folder, capsys, command):
    (folder / "closed").mkdir(mode=0)
    assert main(command.replace("hostile.csv", "closed/hostile.csv").split()) == 1
    assert "closed/hostile.csv: the file cannot be opened (Permission denied)" in last_line(capsys)


NUMBERS = [
    "probe counts.fits --preset toy --catalogue truth.ecsv -o x.ecsv --at 1e300,0",
    "probe counts.fits --preset toy --catalogue truth.ecsv -o x.ecsv --at nan,0",
    "inject counts.fits --preset toy -o x --number 1000000000",
    "inject counts.fits --preset toy -o x --separation 1e300",
    "compare counts.fits truth.ecsv --preset toy -o x.ecsv --radius '1e308 deg'",
    "compare counts.fits truth.ecsv --preset toy -o x.ecsv --radius 0deg",
    "inject counts.fits --preset toy -o x --index 1e308",
    "measure counts.fits --preset toy --catalogue truth.ecsv -o x.ecsv --index 1e308",
    "measure counts.fits --preset toy --catalogue truth.ecsv -o x.ecsv --epochs 5d",
    "probe counts.fits --preset toy --catalogue truth.ecsv -o x.ecsv --at 1,1 --index 1e308",
    "sensitivity counts.fits --preset toy -o x.fits --index=-1e308",
    "sensitivity counts.fits --preset toy -o x.fits --nside 1 --ts 1e308",
    "sensitivity counts.fits --preset toy -o x.fits --nside 1 --ts 1e-308",
    "sensitivity counts.fits --preset toy -o x.fits --plot x.nope",
]


@pytest.mark.parametrize("command", NUMBERS)
def test_numbers_and_suffixes_that_cannot_be_are_refused_before_work(folder, capsys, command):
    assert main(shlex.split(command)) == 1
    assert "this should not happen" not in last_line(capsys)
    assert sorted(path.name for path in folder.iterdir()) == ["counts.fits", "truth.ecsv"]


@pytest.mark.parametrize(
    "command",
    [
        "measure counts.fits --preset toy --catalogue named.csv -o x.fits",
        "detect counts.fits --preset toy --reference named.csv -o x.ecsv -o x.fits.gz",
    ],
)
def test_names_that_fits_cannot_hold_are_refused_before_work(folder, capsys, command):
    (folder / "named.csv").write_text("name,ra,dec\nCité 1,3,4\n", encoding="utf-8")
    assert main(command.split()) == 1
    assert "named.csv: the name 'Cité 1' cannot be written as FITS" in last_line(capsys)
    assert sorted(path.name for path in folder.iterdir()) == [
        "counts.fits",
        "named.csv",
        "truth.ecsv",
    ]


OVER_INPUTS = [
    "measure counts.fits --preset toy --catalogue truth.ecsv -o truth.ecsv",
    "probe counts.fits --preset toy --positions truth.ecsv --catalogue named.csv -o truth.ecsv",
    "probe counts.fits --preset toy --positions named.csv --catalogue truth.ecsv -o truth.ecsv",
    "associate truth.ecsv --error 1deg --with named.csv --class psr -o truth.ecsv",
    "associate named.csv --error 1deg --with truth.ecsv --class psr -o truth.ecsv",
    "associate named.csv --error 1deg --with truth.ecsv -o a.ecsv --candidates truth.ecsv",
    "diff truth.ecsv truth.ecsv -o truth.ecsv",
    "diff named.csv truth.ecsv -o x.ecsv --carry-names truth.ecsv",
    "evaluate truth.ecsv named.csv -o truth.ecsv",
    "evaluate named.csv truth.ecsv -o truth.ecsv",
    "compare counts.fits truth.ecsv --preset toy -o truth.ecsv",
    "detect counts.fits --preset toy --reference truth.ecsv -o truth.ecsv",
    "detect counts.fits --preset toy --extended truth.ecsv -o x.ecsv -o truth.ecsv",
    "sensitivity counts.fits --preset toy --sources truth.ecsv -o truth.ecsv",
    "sensitivity counts.fits --preset toy -o counts.fits",
    "classify truth.ecsv -o truth.ecsv",
    "export truth.ecsv -o truth.ecsv",
]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("command", OVER_INPUTS)
@pytest.mark.parametrize("linked", [False, True])
def test_an_input_is_never_replaced(folder, capsys, command, linked):
    (folder / "named.csv").write_text("name,ra,dec\na,3,4\n")
    if linked:
        (folder / "truth.ecsv").rename(folder / "there.ecsv")
        (folder / "truth.ecsv").symlink_to("there.ecsv")
    before = contents(folder)
    assert main([*command.split(), "--overwrite"]) == 1
    assert " input" in last_line(capsys)
    assert contents(folder) == before


@pytest.mark.parametrize(
    "command",
    [
        "measure counts.fits --preset toy --catalogue truth.ecsv -o",
        "probe counts.fits --preset toy --positions truth.ecsv --catalogue truth.ecsv -o",
        "compare counts.fits truth.ecsv --preset toy -o",
        "diff truth.ecsv truth.ecsv -o",
        "classify truth.ecsv -o",
        "associate truth.ecsv --error 1deg --with truth.ecsv -o",
    ],
)
@pytest.mark.parametrize("suffix", [".reg", ".sed", ".nope"])
def test_suffixes_of_no_table_are_refused_before_work(folder, capsys, monkeypatch, command, suffix):
    monkeypatch.setattr("gammafind.pipeline.inputs.read_catalogue", None)
    assert main([*command.split(), f"x{suffix}"]) == 1
    assert f"x{suffix}: the suffix '{suffix}' is unknown" in last_line(capsys)


@pytest.mark.parametrize("kind", ["a loop", "a link to nothing"])
def test_a_link_that_leads_nowhere_is_replaced(folder, kind):
    (folder / "x.ecsv").symlink_to("x.ecsv" if kind == "a loop" else "nothing")
    command = "associate truth.ecsv --error 1deg --with truth.ecsv --class psr -o x.ecsv"
    assert main([*command.split(), "--overwrite"]) == 0
    assert (folder / "x.ecsv").is_file()
