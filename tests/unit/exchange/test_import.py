"""What a site reads: refused where it is not whole, and left out where it is not comparable."""

import io
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from demo_sites import SITES, definitions, exported, pooled_of, with_config
from rupture_repair import __version__
from rupture_repair.cli import main
from rupture_repair.exchange import archive, imported
from rupture_repair.project.problems import ProblemsFound


def refused(file, root, here):
    """The one code with which a file is refused; nothing is written."""
    before = sorted(root.rglob("*"))
    with pytest.raises(ProblemsFound) as found:
        imported.register(file, here, root)
    assert sorted(root.rglob("*")) == before
    assert len(found.value.problems) == 1
    return found.value.problems[0].code


def test_a_file_with_any_other_byte_is_refused(shown, tmp_path):
    given = exported(shown, "site-b").read_bytes()
    random = np.random.default_rng(1)
    near = [*range(0, 50, 2), *range(len(given) - 40, len(given), 2)]
    broken = tmp_path / "site-b.zip"
    (tmp_path / "root").mkdir()
    for place in [*near, *random.integers(0, len(given), 25)]:
        changed = bytearray(given)
        changed[place] ^= 1 << int(random.integers(0, 8))
        broken.write_bytes(changed)
        code = refused(broken, tmp_path / "root", definitions(shown))
        assert code in ("E741", "E742", "E743", "E744"), place
    for length in (0, 1, 30, len(given) // 2, len(given) - 1):
        broken.write_bytes(given[:length])
        assert refused(broken, tmp_path / "root", definitions(shown)) in ("E741", "E744")
    broken.write_bytes(given + b"x")
    assert refused(broken, tmp_path / "root", definitions(shown)) == "E744"


def repacked(file, change):
    """The same file after its manifest and members were changed, with checksums that fit."""
    manifest, members = archive.unpack(file)
    about = {key: manifest[key] for key in manifest if key not in ("format", "members", "sha256")}
    change(about, members)
    return archive.pack(about, members)


def zipped(members, method=zipfile.ZIP_STORED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, text in members:
            file.writestr(name, text)
    return made.getvalue()


def other_form(about, members):
    about["version"] = "0.0.9"


def a_row_of_a_person(about, members):
    members["flow.csv"] = b"course,n_after\nc1,5\n"


def a_column_less(about, members):
    members["estimates.csv"] = b"dataset,measure\nsite-b,alliance\n"


def a_word_for_a_number(about, members):
    lines = members["flow.csv"].decode().splitlines()
    lines[1] = lines[1].rpartition(",")[0] + ",many"
    members["flow.csv"] = "\n".join(lines).encode()


def no_table(about, members):
    del members["chance.csv"]


def no_json(about, members):
    members["config.json"] = b"{"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (other_form, "E745"),
        (a_row_of_a_person, "E746"),
        (a_column_less, "E746"),
        (a_word_for_a_number, "E746"),
        (no_table, "E746"),
        (no_json, "E746"),
        (lambda about, members: about.pop("measure"), "E746"),
    ],
)
def test_content_that_no_export_has_is_refused(change, code, shown, tmp_path):
    file = tmp_path / "site-b.zip"
    file.write_bytes(repacked(exported(shown, "site-b"), change))
    (tmp_path / "root").mkdir()
    assert refused(file, tmp_path / "root", definitions(shown)) == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (b"course,session,srs\n1,1,30\n", "E741"),
        (zipped([("notes.txt", "a")]), "E742"),
        (zipped([("../../outside.csv", "a")]), "E742"),
        (zipped([("/tmp/outside.csv", "a")]), "E742"),
        (zipped([("flow.csv", "a"), ("folder/flow.csv", "a")]), "E742"),
        (zipped([("flow.csv", "a")]), "E741"),
        (zipped([("manifest.json", "{}")]), "E744"),
        (zipped([("manifest.json", '{"format": 9, "members": {}, "sha256": ""}')]), "E741"),
        (zipped([("manifest.json", "[" * 100_000)]), "E744"),
        (zipped([("manifest.json", "0" * 5_000_000)], zipfile.ZIP_DEFLATED), "E743"),
    ],
)
def test_what_is_no_export_is_refused(given, code, tmp_path, shown):
    file = tmp_path / "site-b.zip"
    file.write_bytes(given)
    (tmp_path / "root").mkdir()
    assert refused(file, tmp_path / "root", definitions(shown)) == code


@pytest.mark.parametrize(
    "text",
    [
        '{"format": 1, "sha256": "", "members": [["a", "b"]]}',
        '{"format": 1, "sha256": "", "members": {}, "name": "\\ud800"}',
        '{"format": 1, "sha256": "", "members": {}, "name": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
    ids=["members in a list", "half a character", "deep"],
)
def test_a_strange_manifest_is_refused(text, tmp_path, shown):
    file, root = tmp_path / "site-b.zip", tmp_path / "root"
    file.write_bytes(zipped([(archive.MANIFEST, text)]))
    root.mkdir()
    assert refused(file, root, definitions(shown)) == "E744"


def test_a_file_is_registered_in_a_project_only(shown, tmp_path, monkeypatch, capsys):
    file = exported(shown, "site-b")
    monkeypatch.chdir(tmp_path)
    assert main(["import", str(file)]) == 1
    assert "E708" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_larger_than_any_export_is_not_even_read(tmp_path, shown, monkeypatch):
    monkeypatch.setattr(archive, "MOST", 100)
    file = exported(shown, "site-b")
    (tmp_path / "root").mkdir()
    assert refused(file, tmp_path / "root", definitions(shown)) == "E743"
    assert refused(tmp_path / "none.zip", tmp_path / "root", definitions(shown)) == "E711"


def test_the_same_courses_are_not_registered_twice(shown, tmp_path):
    given = exported(shown, "site-b").read_bytes()
    root, here = tmp_path / "root", definitions(shown)
    root.mkdir()
    for name in ("site-b", "again", "no name!"):
        (tmp_path / f"{name}.zip").write_bytes(given)
    assert imported.register(tmp_path / "site-b.zip", here, root).name == "site-b"
    assert [one.name for one in imported.files(root)] == ["site-b.zip"]
    assert (root / "data/imported/site-b.zip").read_bytes() == given
    assert refused(tmp_path / "site-b.zip", root, here) == "E748"
    assert refused(tmp_path / "no name!.zip", root, here) == "E748"
    assert refused(tmp_path / "again.zip", root, here) == "E749"
    assert refused(tmp_path / "again.zip", shown / "site-b", here) == "E749"


def test_the_command_registers_a_file(shown, tmp_path, monkeypatch, capsys):
    file = exported(shown, "site-c")
    (tmp_path / "config.yaml").write_text((shown / "here/config.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(shown / "here")
    try:
        assert main(["import", str(file)]) == 0
        said = capsys.readouterr().out
        assert "site-c: version" in said
        assert archive.checksum(file.read_bytes()) in said
        assert "data/imported/site-c.zip" in said
        assert main(["import", str(file)]) == 1
        assert "E748" in capsys.readouterr().err
    finally:
        (shown / "here/data/imported/site-c.zip").unlink()


# ---------------------------------------------------------------------------- not comparable


def reason(shown, here=None, site=None):
    """Why the other site is not pooled, once something of it or of here is changed."""
    found = site or imported.read(exported(shown, "site-b"))
    _, studies = pooled_of(shown / "here", SITES[:1], [found], here or definitions(shown))
    return studies.loc[studies["dataset"] == found.name, "reason"].dropna().unique().tolist()


def test_other_definitions_are_not_pooled(shown):
    here = definitions(shown)
    assert reason(shown) == []
    assert reason(shown, with_config(here, "criterion", k=1.5)) == [
        "other settings of the criterion v_1sd: k 1, here 1.5"
    ]
    assert reason(shown, with_config(here, "edge_rules", max_gap=3)) == [
        "other edge_rules in config.yaml: max_gap 2, here 3"
    ]
    assert reason(shown, with_config(here, "models", landmark=5)) == [
        "other models in config.yaml: landmark 6, here 5"
    ]
    assert reason(shown, with_config(here, "chance", false_alarm=0.1)) == []
    scale = {**here.instruments, "SRS": {**here.instruments["SRS"], "range": [0, 10]}}
    assert reason(shown, replace(here, instruments=scale)) == [
        "other constants of the instrument SRS"
    ]
    assert reason(shown, replace(here, version="9.0")) == [
        f"version {__version__} is not known to version 9.0"
    ]
    criteria = replace(here, config={**here.config, "criteria": []})
    assert reason(shown, criteria) == ["the criterion v_1sd has no settings here"]


def test_constants_that_a_dataset_overrides_are_compared_too(shown):
    found = imported.read(exported(shown, "site-b"))
    for change, expected in (
        ({"range": (0, 10)}, "range (0, 10), here (0, 40)"),
        ({"better": "lower"}, "better lower, here higher"),
    ):
        changed = {**found.measures, "alliance": replace(found.measures["alliance"], **change)}
        site = SimpleNamespace(**{name: getattr(found, name) for name in
                                  ("name", "estimates", "table", "definitions", "fact")},
                               measures=changed)  # fmt: skip
        said = reason(shown, site=site)
        assert len(said) == 1
        assert said[0].startswith(f"other constants of the instrument SRS: {expected}")


def test_the_same_courses_under_two_names_are_not_pooled(shown):
    file = exported(shown, "here")
    twin = replace(imported.read(file), name="twin")
    assert reason(shown, site=twin) == ["its courses are those of here"]
