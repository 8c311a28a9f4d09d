"""The laws of the sources: each gives the file, or says why not, and learns nothing twice in one run.

The network is a server on the loopback interface, PyPI a folder given to the real pip, npm a stand-in on the
PATH.
"""

from __future__ import annotations

import functools
import http.server
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wheels.made_up import make_wheel, sha256
from wheels.errors import SourceError
from wheels.manifest import Carrier, Pinned
from wheels.sources import CarrierSource, CdnSource, FolderSource, NpmSource, PypiSource


class Bytes:
    """Keeps what a source reports of its progress."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int | None]] = []

    def __call__(self, file_name: str, done: int, total: int | None) -> None:
        self.seen.append((file_name, done, total))


class Host:
    """A server on the loopback interface that gives the files of a folder."""

    def __init__(self, folder: Path) -> None:
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def pinned(file_name: str) -> Pinned:
    return Pinned("some", "1", file_name, "0" * 64, ("cdn",))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "some.whl").write_bytes(bytes(200_000))
    running = Host(folder)
    yield running
    running.stop()


def test_a_folder_gives_what_it_has_and_says_what_it_lacks(tmp_path: Path, into: Path) -> None:
    (tmp_path / "some.whl").write_text("content")
    source = FolderSource(tmp_path)
    source.fetch(pinned("some.whl"), into)
    assert (into / "some.whl").read_text() == "content"
    with pytest.raises(SourceError, match="No such file"):
        source.fetch(pinned("other.whl"), into)


def test_the_cdn_gives_a_file_and_tells_its_bytes(host: Host, into: Path) -> None:
    progress = Bytes()
    CdnSource(host.address, progress).fetch(pinned("some.whl"), into)
    assert (into / "some.whl").read_bytes() == bytes(200_000)
    assert len(progress.seen) > 1
    assert progress.seen[-1] == ("some.whl", 200_000, 200_000)


def test_a_file_that_the_cdn_lacks_does_not_make_it_unreachable(host: Host, into: Path) -> None:
    source = CdnSource(host.address, Bytes())
    with pytest.raises(SourceError, match="HTTP 404"):
        source.fetch(pinned("other.whl"), into)
    source.fetch(pinned("some.whl"), into)


def test_a_cdn_that_was_not_reached_is_not_asked_again(into: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        source = CdnSource(f"http://127.0.0.1:{unused.getsockname()[1]}/", Bytes())
        with pytest.raises(SourceError, match="not reached"):
            source.fetch(pinned("some.whl"), into)
        unused.listen()
        with pytest.raises(SourceError, match="not reached"):
            source.fetch(pinned("some.whl"), into)
        unused.setblocking(False)
        with pytest.raises(BlockingIOError):
            unused.accept()


def test_a_cdn_that_does_not_answer_is_given_up_in_time_and_only_once(into: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = CdnSource(f"http://127.0.0.1:{silent.getsockname()[1]}/", Bytes(), reach_seconds=0.2)
        for _ in range(3):
            with pytest.raises(SourceError, match="not reached"):
                source.fetch(pinned("some.whl"), into)
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def wheel_of(folder: Path) -> Pinned:
    wheel = make_wheel(folder, "some", "1")
    return Pinned("some", "1", wheel.name, sha256(wheel), ("pypi",))


def test_pypi_gives_the_wheel_through_pip(pypi: Path, into: Path) -> None:
    wheel = wheel_of(pypi)
    PypiSource(Bytes()).fetch(wheel, into)
    assert sha256(into / wheel.file_name) == wheel.sha256


def test_pip_refuses_a_wheel_with_another_hash(pypi: Path, into: Path) -> None:
    wheel = wheel_of(pypi)
    make_wheel(pypi, "some", "1", requires=["tampered"])
    with pytest.raises(SourceError, match="pip failed"):
        PypiSource(Bytes()).fetch(wheel, into)
    assert list(into.iterdir()) == []


def test_a_wheel_that_pypi_lacks_is_named(pypi: Path, into: Path) -> None:
    with pytest.raises(SourceError, match="pip failed: ERROR: No matching distribution found for other==1"):
        PypiSource(Bytes()).fetch(Pinned("other", "1", "other-1-py3-none-any.whl", "0" * 64, ("pypi",)), into)


@pytest.fixture
def carrier(pypi: Path) -> Carrier:
    wheel = make_wheel(pypi, "carrier", "3")
    with zipfile.ZipFile(wheel, "a") as archive:
        for name in ("one.whl", "two.whl"):
            archive.writestr(f"inside/{name}", f"content of {name}")
    return Carrier("carrier", "3", wheel.name, sha256(wheel), "inside")


def test_the_carrier_is_downloaded_once_opened_and_thrown_away(
    pypi: Path, carrier: Carrier, into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    source = CarrierSource(carrier, PypiSource(Bytes()))
    source.fetch(pinned("one.whl"), into)
    (pypi / carrier.file_name).unlink()
    source.fetch(pinned("two.whl"), into)
    assert [(into / name).read_text() for name in ("one.whl", "two.whl")] == [
        "content of one.whl",
        "content of two.whl",
    ]
    assert list(temporary.rglob(carrier.file_name)) != []
    source.close()
    assert list(temporary.iterdir()) == []


def test_a_carrier_that_lacks_the_file_is_named(carrier: Carrier, into: Path) -> None:
    source = CarrierSource(carrier, PypiSource(Bytes()))
    with pytest.raises(SourceError, match="carrier 3 does not hold it under inside/"):
        source.fetch(pinned("three.whl"), into)
    source.close()


def test_a_carrier_that_is_not_to_be_had_is_asked_for_once(pypi: Path, carrier: Carrier, into: Path) -> None:
    wheel = pypi / carrier.file_name
    content = wheel.read_bytes()
    wheel.unlink()
    source = CarrierSource(carrier, PypiSource(Bytes()))
    with pytest.raises(SourceError, match="No matching distribution"):
        source.fetch(pinned("one.whl"), into)
    wheel.write_bytes(content)
    with pytest.raises(SourceError, match="No matching distribution"):
        source.fetch(pinned("one.whl"), into)
    source.close()


NPM = f"""#!{sys.executable}
import io, sys, tarfile
from pathlib import Path
with Path({{log!r}}).open("a") as log:
    log.write(" ".join(sys.argv[1:3]) + "\\n")
if sys.argv[2] != "pyodide@1.0":
    sys.exit("npm error 404 no such package")
folder = Path(sys.argv[sys.argv.index("--pack-destination") + 1])
with tarfile.open(folder / "pyodide-1.0.tgz", "w:gz") as archive:
    for name in ("pyodide.mjs", "python_stdlib.zip"):
        member = tarfile.TarInfo("package/" + name)
        member.size = len(name)
        archive.addfile(member, io.BytesIO(name.encode()))
"""


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the npm client; gives the path of its log."""
    commands = tmp_path / "commands"
    commands.mkdir()
    log = tmp_path / "npm.log"
    (commands / "npm").write_text(NPM.format(log=str(log)))
    (commands / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", str(commands))
    return log


def test_the_npm_package_is_downloaded_once_for_all_its_files(npm: Path, into: Path) -> None:
    source = NpmSource("1.0", Bytes())
    for name in ("pyodide.mjs", "python_stdlib.zip"):
        source.fetch(pinned(name), into)
        assert (into / name).read_text() == name
    source.close()
    assert npm.read_text() == "pack pyodide@1.0\n"


def test_a_file_that_the_npm_package_lacks_is_named(npm: Path, into: Path) -> None:
    source = NpmSource("1.0", Bytes())
    with pytest.raises(SourceError, match=r"pyodide@1\.0 does not hold it"):
        source.fetch(pinned("other.js"), into)
    source.close()


def test_an_npm_package_that_is_no_archive_is_named(npm: Path, into: Path, tmp_path: Path) -> None:
    client = tmp_path / "commands" / "npm"
    client.write_text(client.read_text() + '(folder / "pyodide-1.0.tgz").write_text("broken")\n')
    source = NpmSource("1.0", Bytes())
    with pytest.raises(SourceError, match=r"pyodide@1\.0 cannot be opened"):
        source.fetch(pinned("pyodide.mjs"), into)
    source.close()


def test_an_npm_package_that_is_not_to_be_had_is_asked_for_once(npm: Path, into: Path) -> None:
    source = NpmSource("9.9", Bytes())
    for _ in range(2):
        with pytest.raises(SourceError, match="npm failed: npm error 404 no such package"):
            source.fetch(pinned("pyodide.mjs"), into)
    assert npm.read_text() == "pack pyodide@9.9\n"


def test_without_npm_its_absence_is_named(tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        NpmSource("1.0", Bytes()).fetch(pinned("pyodide.mjs"), into)
