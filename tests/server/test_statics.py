"""Laws of files over HTTP: types, revalidation, compression, isolation, and that nothing else is served."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import Site

ISOLATION = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def distribution(site: Site) -> Path:
    folder = site.options.distribution
    (folder / "pyodide.mjs").write_text("export const x = 1;\n" * 100)
    (folder / "numpy-2.4.3.whl").write_bytes(b"PK" * 2000)
    return folder


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.asm.wasm", "application/wasm"),
        ("a-1.0-py3-none-any.whl", "application/zip"),
        ("python_stdlib.zip", "application/zip"),
        ("pyodide-lock.json", "application/json"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_each_file_has_the_type_that_browsers_insist_on(site: Site, name: str, media_type: str) -> None:
    (site.options.distribution / name).write_bytes(b"{}")
    answer = site.client.get(f"/pyodide/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_bridge_is_served_as_it_lies(site: Site) -> None:
    (site.options.bridge / "worker").mkdir()
    (site.options.bridge / "worker" / "worker.js").write_text("1")
    assert site.client.get("/bridge/worker/worker.js").text == "1"
    assert site.client.get("/bridge/page/play.html").status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "/",
        "/play/demo?player_id=A",
        "/play/a%20b",
        "/bridge/page/play.html",
        "/pyodide/pyodide.mjs",
        "/pyodide/absent",
        "/absent",
        "/sprites/chef",
        "/api/sessions",
        "/api/sessions/none",
    ],
)
def test_every_answer_isolates_the_page_from_other_origins(site: Site, distribution: Path, url: str) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        headers = site.client.request(method, url, follow_redirects=False).headers
        assert ISOLATION.items() <= dict(headers).items()


def test_even_a_fault_of_the_server_isolates(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyodide_runtime.server.storage.Storage.summaries", lambda self: 1 / 0)
    client = TestClient(site.client.app, raise_server_exceptions=False)
    answer = client.get("/api/sessions")
    assert answer.status_code == 500
    assert ISOLATION.items() <= dict(answer.headers).items()


def test_an_unchanged_file_is_not_sent_again_and_a_changed_one_is(site: Site, distribution: Path) -> None:
    first = site.client.get("/pyodide/pyodide.mjs")
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = site.client.get("/pyodide/pyodide.mjs", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    (distribution / "pyodide.mjs").write_text("changed")
    os.utime(distribution / "pyodide.mjs", ns=(1, 1))
    changed = site.client.get("/pyodide/pyodide.mjs", headers=known)
    assert (changed.status_code, changed.text) == (200, "changed")


def test_only_a_url_that_names_its_contents_is_kept_for_good(site: Site, distribution: Path) -> None:
    content = (distribution / "numpy-2.4.3.whl").read_bytes()
    right = site.client.get(f"/pyodide/numpy-2.4.3.whl?sha256={hashlib.sha256(content).hexdigest()}")
    assert right.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert right.content == content
    for query in ("", "?sha256=", "?sha256=" + "0" * 64):
        wrong = site.client.get(f"/pyodide/numpy-2.4.3.whl{query}")
        assert wrong.headers["cache-control"] == "no-cache"


def test_text_is_compressed_where_the_browser_takes_it(site: Site, distribution: Path) -> None:
    plain = site.client.get("/pyodide/pyodide.mjs", headers={"Accept-Encoding": "identity"})
    zipped = site.client.get("/pyodide/pyodide.mjs", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    refused = site.client.get("/pyodide/pyodide.mjs", headers={"Accept-Encoding": "gzip;q=0, br"})
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert int(zipped.headers["content-length"]) < len(plain.content) / 4
    assert zipped.content == plain.content == (distribution / "pyodide.mjs").read_bytes()
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert zipped.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_what_is_compressed_already_or_small_or_local_is_not_compressed(site: Site, distribution: Path) -> None:
    (distribution / "small.js").write_text("1")
    offer = {"Accept-Encoding": "gzip"}
    for name in ("numpy-2.4.3.whl", "small.js"):
        assert "content-encoding" not in site.client.get(f"/pyodide/{name}", headers=offer).headers
    local = TestClient(site.client.app, client=("127.0.0.1", 1))
    assert "content-encoding" not in local.get("/pyodide/pyodide.mjs", headers=offer).headers


def test_a_changed_file_is_compressed_anew(site: Site, distribution: Path) -> None:
    offer = {"Accept-Encoding": "gzip"}
    site.client.get("/pyodide/pyodide.mjs", headers=offer)
    (distribution / "pyodide.mjs").write_text("new" * 1000)
    assert site.client.get("/pyodide/pyodide.mjs", headers=offer).text == "new" * 1000


@pytest.mark.parametrize(
    "path",
    [
        "../experiment/pots.py",
        "%2e%2e/experiment/pots.py",
        "..%2fexperiment/pots.py",
        "x/../../experiment/pots.py",
        "..%5cexperiment%5cpots.py",
        "%2fetc/passwd",
        "/etc/passwd",
        ".hidden",
        "node_modules/tool.js",
        "link.py",
        "",
        ".",
        "folder",
        "folder/",
        "a%00b",
    ],
)
def test_nothing_outside_the_folder_and_nothing_hidden_is_served(site: Site, path: str) -> None:
    folder = site.options.distribution
    (folder / ".hidden").write_text("secret")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "tool.js").write_text("secret")
    (folder / "folder").mkdir()
    (folder / "link.py").symlink_to(site.folder / "pots.py")
    assert site.client.get(f"/pyodide/{path}").status_code == 404


def test_only_sprites_that_the_experiment_names_are_served(site: Site) -> None:
    assert site.client.get("/sprites/chef").status_code == 404, "nobody has read the experiment yet"
    site.client.get("/")
    sprite = site.client.get("/sprites/chef")
    assert (sprite.content, sprite.headers["content-type"]) == (b"\x89PNG chef", "image/png")
    assert site.client.get("/sprites/pots.py").status_code == 404
    assert site.client.get("/sprites/chef.png").status_code == 404
