"""Fetching of public datasets: the download itself, against a server on this machine."""

import gzip
import hashlib
import http.server
import io
import os
import socket
import tarfile
import threading
import zipfile
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from repository import MIRROR, ROOT
from rupture_repair.ingest import check, ingest
from rupture_repair.project.messages.public_data import PUBLIC
from rupture_repair.project.problems import ProblemsFound
from rupture_repair.project.yaml_files import read
from rupture_repair.public_data import fetch, register, unpack

TABLE = b"course,session,srs\nA,1,30\nA,2,25\n"
SHA = hashlib.sha256(TABLE).hexdigest()
OTHER = "0" * 64
PLACE = "data/raw/register.csv, key clinic, ratings.csv:"


class Handler(http.server.SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, *arguments):
        self.asked.append(self.path)


@pytest.fixture
def server(tmp_path):
    """A web server of one folder; `asked` lists what it was asked for."""
    folder = tmp_path / "published"
    folder.mkdir()
    handler = type("Own", (Handler,), {"asked": []})
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(handler, directory=str(folder))
    ) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        running.folder, running.asked = folder, handler.asked
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()
        thread.join()


def registered(root: Path, url: str, sha256: str = SHA, file: str = "ratings.csv") -> Path:
    """Write a register with one dataset, clinic."""
    target = root / register.FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    row = f"clinic,{file},1,CC BY 4.0,Nobody,{url},{sha256},\n"
    target.write_text(",".join(register.COLUMNS) + "\n" + row, encoding="utf-8")
    return root


def texts(root: Path, name: str = "clinic", **options) -> list[str]:
    with pytest.raises(ProblemsFound) as found:
        fetch.fetch(name, root=root, **options)
    return [entry.text for entry in found.value.problems]


def nothing_written(root: Path) -> bool:
    return sorted(root.glob("data/raw/*")) == [root / register.FILE]


# ---------------------------------------------------------------------------- the download


def test_a_good_download_is_written_once_and_verified_again(server, tmp_path):
    (server.folder / "ratings.csv").write_bytes(TABLE)
    root = registered(tmp_path / "project", f"{server.url}/ratings.csv")
    assert fetch.fetch("clinic", root=root) == [Path("data/raw/clinic/ratings.csv")]
    assert (root / "data/raw/clinic/ratings.csv").read_bytes() == TABLE
    assert [path.name for path in (root / "data/raw/clinic").iterdir()] == ["ratings.csv"]
    fetch.fetch("clinic", root=root)
    assert server.asked == ["/ratings.csv"]


def test_a_wrong_checksum_is_told_and_the_file_not_kept(server, tmp_path):
    (server.folder / "ratings.csv").write_bytes(TABLE)
    root = registered(tmp_path / "project", f"{server.url}/ratings.csv", OTHER)
    assert texts(root) == [
        f"E904 {PLACE} the file from {server.url}/ratings.csv has the checksum {SHA}, but {OTHER} "
        "is registered. It was not kept. Try again; if it stays so, the file was changed since it "
        "was registered: do not use it before you know how, and register the new version with its "
        "checksum."
    ]
    assert nothing_written(root)


def test_an_address_without_the_file(server, tmp_path):
    root = registered(tmp_path / "project", f"{server.url}/ratings.csv")
    assert texts(root) == [
        f"E903 {PLACE} {server.url}/ratings.csv does not give "
        "the file: 404 File not found. Nothing was written. Correct url if the file has moved, or "
        "set mirror in config.yaml to a folder that holds the files."
    ]
    assert nothing_written(root)


def test_no_connection(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    url = f"http://127.0.0.1:{port}/ratings.csv"
    root = registered(tmp_path, url)
    assert texts(root) == [
        f"E902 {PLACE} {url} cannot be reached: no connection. "
        "Nothing was written. Check the connection and try again, or set mirror in config.yaml to "
        "a folder that holds the files."
    ]
    assert nothing_written(root)


def test_a_server_that_does_not_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        root = registered(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/ratings.csv")
        [text] = texts(root, patience=0.2)
    assert text.startswith("E902")
    assert "no answer within 0.2 seconds" in text


def test_of_two_files_none_is_kept_where_one_fails(server, tmp_path):
    (server.folder / "ratings.csv").write_bytes(TABLE)
    root = registered(tmp_path / "project", f"{server.url}/ratings.csv")
    with (root / register.FILE).open("a", encoding="utf-8") as file:
        file.write(f"clinic,clients.csv,1,CC BY 4.0,Nobody,{server.url}/clients.csv,{SHA},\n")
    assert [text[:4] for text in texts(root)] == ["E903"]
    assert nothing_written(root)


def test_another_file_of_that_name_is_never_written_over(server, tmp_path):
    (server.folder / "ratings.csv").write_bytes(TABLE)
    root = registered(tmp_path / "project", f"{server.url}/ratings.csv")
    own = root / "data/raw/clinic/ratings.csv"
    own.parent.mkdir()
    own.write_text("mine")
    found = hashlib.sha256(b"mine").hexdigest()
    assert texts(root) == [
        f"E909 {own.as_posix()}: another file is there: its checksum is {found}, but {SHA} is "
        "registered. Nothing was changed. Move it away, or remove it, and fetch again."
    ]
    assert own.read_text() == "mine"
    assert server.asked == []


def test_an_unknown_dataset(tmp_path):
    root = registered(tmp_path, "https://example.org/ratings.csv")
    assert texts(root, "clinc") == [
        "E901 " + (root / register.FILE).as_posix() + ": there is no public dataset 'clinc' in the "
        "register. Did you mean 'clinic'? Registered: clinic."
    ]


# ---------------------------------------------------------------------------- unpacking


def packed(kind: str) -> bytes:
    file = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("study/../../ratings.csv", TABLE)
            archive.writestr("study/readme.txt", "text")
    elif kind == "gz":
        file.write(gzip.compress(TABLE))
    else:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            entry = tarfile.TarInfo("study/ratings.csv")
            entry.size = len(TABLE)
            archive.addfile(entry, io.BytesIO(TABLE))
    return file.getvalue()


@pytest.mark.parametrize("name", ["study.zip", "study.tar.gz", "ratings.csv.gz"])
def test_the_file_is_taken_out_of_an_archive_and_nothing_else(name, server, tmp_path):
    (server.folder / name).write_bytes(
        packed(name.rpartition(".")[2] if "tar" not in name else name)
    )
    root = registered(tmp_path / "project", f"{server.url}/{name}?download=1")
    fetch.fetch("clinic", root=root)
    assert (root / "data/raw/clinic/ratings.csv").read_bytes() == TABLE
    assert [path.name for path in (root / "data/raw/clinic").iterdir()] == ["ratings.csv"]


def test_an_archive_without_the_file(server, tmp_path):
    (server.folder / "study.zip").write_bytes(packed("zip"))
    root = registered(tmp_path / "project", f"{server.url}/study.zip", file="readme.csv")
    assert texts(root) == [
        "E911 data/raw/register.csv, key clinic, readme.csv: 'study.zip' was downloaded, but does "
        "not hold one file 'readme.csv'. Did you mean 'readme.txt'? It holds: "
        "study/../../ratings.csv, study/readme.txt. Correct file or url."
    ]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("study.zip", "File is not a zip file"),
        ("ratings.csv.gz", "Not a gzipped file (b'<h')"),
        ("study.rda", "The file contains an unrecognized object: Unhandled S-Expression: 108"),
    ],
)
def test_a_page_in_place_of_an_archive(name, why, server, tmp_path):
    (server.folder / name).write_text("<html>Log in</html>")
    root = registered(tmp_path / "project", f"{server.url}/{name}")
    assert texts(root) == [
        f"E910 {PLACE} '{name}' was downloaded but cannot be "
        f"opened: {why}. Nothing was written. Try again; if it stays so, look at what the address "
        "gives in a browser and correct url."
    ]
    assert nothing_written(root)


def test_a_table_is_written_as_r_writes_it():
    table = pd.DataFrame(
        {
            "who": ['a "b"', None, "c"],
            "x": [1 / 3, float("nan"), 100000.0],
            "n": [1, 100000, -3],
            "y": [1e-5, 123456.7, 0.0001],
            "kind": pd.Categorical(["u", "v", "u"]),
            "yes": [True, False, True],
        }
    )
    # print(write.csv(data.frame(...), row.names = FALSE)) of R 4.2 gives these lines.
    assert unpack.as_csv(table).splitlines() == [
        '"who","x","n","y","kind","yes"',
        '"a ""b""",0.333333333333333,1,1e-05,"u",TRUE',
        'NA,NA,100000,123456.7,"v",FALSE',
        '"c",1e+05,-3,1e-04,"u",TRUE',
    ]


# ---------------------------------------------------------------------------- the register


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "dataset,url\n",
            "E906 {file}, row 1: the columns are dataset, url. Write exactly: dataset, file, "
            "version, licence, citation, url, sha256, note.",
        ),
        (
            ",".join(register.COLUMNS) + f"\nx,../a.csv,1,MIT,N,https://a.org/b,{SHA},\n",
            "E907 {file}, row 2, column file: '../a.csv' cannot be used. Allowed: the name of a "
            "file, without a folder.",
        ),
        (
            ",".join(register.COLUMNS) + "\nx,a.csv,1,MIT,N,https://a.org/b,abc,\n",
            "E907 {file}, row 2, column sha256: 'abc' cannot be used. Allowed: 64 digits and "
            "letters a to f.",
        ),
        (
            ",".join(register.COLUMNS) + f"\nx,a.csv,1,MIT,N,https://a.org/b,{SHA},\n" * 2,
            "E908 {file}, row 3: the file 'a.csv' of x is already in row 2. Keep one of the "
            "two rows.",
        ),
    ],
)
def test_faults_of_the_register(content, expected, tmp_path):
    file = tmp_path / "register.csv"
    file.write_text(content.replace("\n\n", "\n"), encoding="utf-8")
    with pytest.raises(ProblemsFound) as found:
        register.read(file)
    assert [entry.text for entry in found.value.problems] == [expected.format(file=file.as_posix())]
    assert register.names(file) == []


def test_a_missing_register(tmp_path):
    assert texts(tmp_path)[0].startswith("E101")
    assert register.names(tmp_path / "nowhere.csv") == []


def test_every_text_is_tested():
    source = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in PUBLIC if f"{code} " not in source] == []


def test_the_register_and_the_descriptors_say_the_same():
    entries = register.read(ROOT / register.FILE)
    described = {path.parent.name for path in (ROOT / "workflow").glob("datasets/*/dataset.yaml")}
    for entry in entries:
        if entry.dataset not in described:
            assert entry.note.startswith("Not described by a dataset.yaml: "), entry.dataset
            continue
        content = read((ROOT / "workflow") / "datasets" / entry.dataset / "dataset.yaml", "dataset")
        assert (entry.licence, entry.citation) == (content["licence"], content["citation"])
    for name in described:
        content = read((ROOT / "workflow") / "datasets" / name / "dataset.yaml", "dataset")
        needed = {table["file"] for table in content["tables"].values() if table}
        assert {entry.file for entry in entries if entry.dataset == name} == needed


# ---------------------------------------------------------------------------- the mirror


@pytest.fixture(scope="module")
def mirror():
    if not MIRROR.is_dir():
        reason = f"the public datasets are not at {MIRROR}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return MIRROR


def project(root: Path) -> Path:
    """A project with the real register and descriptors."""
    for place in (
        register.FILE,
        *(path.relative_to(ROOT) for path in (ROOT / "workflow").glob("datasets/*/*")),
    ):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes((ROOT / place).read_bytes())
    return root


@pytest.mark.parametrize("name", register.names(ROOT / register.FILE))
def test_the_mirror_stands_in_for_the_network(name, mirror, tmp_path):
    root = project(tmp_path)
    for file in fetch.fetch(name, mirror, root):
        folder = mirror / fetch.mirror_folder(name, root)
        assert (root / file).read_bytes() == (folder / file.name).read_bytes()


def test_fetched_files_are_analysed_without_a_mirror(mirror, tmp_path, monkeypatch):
    monkeypatch.chdir(project(tmp_path))
    folder = Path("workflow/datasets/cbasp_sessions")
    [missing] = check.check("cbasp_sessions", folder)
    assert missing.text.startswith("E131")
    assert "snakemake --cores 1 fetch_cbasp_sessions" in missing.text
    fetch.fetch("cbasp_sessions", mirror)
    dataset = ingest.ingest("cbasp_sessions", folder)
    assert [file["path"] for file in dataset.about["files"]] == ["data/raw/cbasp_sessions/data.csv"]
    assert len(dataset.sessions) == 5517


def test_a_file_or_folder_that_the_mirror_lacks(mirror, tmp_path):
    root = project(tmp_path)
    own = tmp_path / "mirror/dyad_couples_diary"
    own.mkdir(parents=True)
    (own / "sample1.txt").touch()
    place = "E905 data/raw/register.csv, key couples_diary"
    rest = " Put it there, correct mirror in config.yaml, or leave mirror out to download the file."
    assert texts(root, "couples_diary", mirror=own.parent) == [
        f"{place}, sample1.csv: the mirror has no file {own.as_posix()}/sample1.csv. Did you mean "
        f"'sample1.txt'?{rest}",
        f"{place}, sat.csv: the mirror has no file {own.as_posix()}/sat.csv.{rest}",
    ]
    own.rename(own.parent / "couples_diary")
    found = texts(root, "couples_diary", mirror=own.parent)
    assert "dyad_couples_diary/sample1.csv. Did you mean 'couples_diary'?" in found[0]


def test_a_changed_file_of_the_mirror_is_refused(mirror, tmp_path):
    root = project(tmp_path)
    folder = tmp_path / "mirror/schumacher2023_cbasp_sp"
    folder.mkdir(parents=True)
    content = (mirror / "schumacher2023_cbasp_sp/data.csv").read_bytes()
    (folder / "data.csv").write_bytes(content[:-1])
    [text] = texts(root, "cbasp_sessions", mirror=folder.parent)
    assert text.startswith("E904")
    assert (folder / "data.csv").as_posix() in text


@pytest.mark.parametrize(
    ("folder", "file"),
    [
        ("dyad_couples_diary", "sample1.csv"),
        ("dyad_couples_diary", "sat.csv"),
        ("enrichd_bdi_cbt", "BDIdata.csv"),
        ("schizo_panss_investigators", "Schizo_PANSS.csv"),
        ("reisby_hamd", "riesby.csv"),
        ("suddengains_sgdata", "sgdata.csv"),
    ],
)
def test_a_file_of_r_gives_the_registered_csv(folder, file, mirror, server, tmp_path):
    """The tables of the mirror, as files of R, downloaded: byte by byte the registered files."""
    import pyreadr

    table = pd.read_csv(mirror / folder / file)
    name = Path(file).stem
    pyreadr.write_rdata(str(server.folder / f"{name}.rda"), table, df_name=name, compress="gzip")
    sha256 = hashlib.sha256((mirror / folder / file).read_bytes()).hexdigest()
    root = registered(tmp_path / "project", f"{server.url}/{name}.rda", sha256, file)
    fetch.fetch("clinic", root=root)
    assert (root / "data/raw/clinic" / file).read_bytes() == (mirror / folder / file).read_bytes()
