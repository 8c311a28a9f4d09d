"""Laws of what a page keeps for good: everything behind its folder's version, and nothing once a file has changed."""

from __future__ import annotations

import html
import json
import os
import re

from tests.server.conftest import Site

FOR_GOOD = "public, max-age=31536000, immutable"


def version(site: Site, folder: str = "bridge") -> str:
    page = site.client.get("/play/room?player_id=a").text
    found = re.search(rf'"/{folder}/@([0-9a-f]+)/', page)
    assert found is not None, page
    return found[1]


def write_page(site: Site) -> None:
    (site.options.bridge / "page" / "play.html").write_text(
        '<html data-distribution="/pyodide/" data-requirements=""><script src="/bridge/page/play.js"></script>'
    )
    (site.options.bridge / "page" / "play.js").write_text("first")


def test_what_lies_behind_the_folders_version_is_kept_for_good(site: Site) -> None:
    write_page(site)
    answer = site.client.get(f"/bridge/@{version(site)}/page/play.js")
    assert (answer.text, answer.headers["cache-control"]) == ("first", FOR_GOOD)
    assert site.client.get("/bridge/page/play.js").headers["cache-control"] == "no-cache"


def test_a_change_gives_the_folder_another_version_and_the_old_one_is_kept_no_more(site: Site) -> None:
    write_page(site)
    before = version(site)
    (site.options.bridge / "page" / "play.js").write_text("the second")
    after = version(site)
    assert after != before
    old, new = (site.client.get(f"/bridge/@{one}/page/play.js") for one in (before, after))
    assert (old.text, old.headers["cache-control"]) == ("the second", "no-cache")
    assert (new.text, new.headers["cache-control"]) == ("the second", FOR_GOOD)


def test_a_new_file_and_one_that_was_only_touched_count_as_changes(site: Site) -> None:
    write_page(site)
    seen = {version(site, "pyodide")}
    lock = site.options.distribution / "pyodide-lock.json"
    lock.write_text("{}")
    seen.add(version(site, "pyodide"))
    os.utime(lock, (1e9, 1e9))
    seen.add(version(site, "pyodide"))
    assert len(seen) == 3


def test_a_version_opens_no_way_to_files_that_are_not_served(site: Site) -> None:
    write_page(site)
    (site.options.bridge / ".hidden").write_text("secret")
    (site.options.bridge.parent / "outside.txt").write_text("secret")
    current = version(site)
    for path in (".hidden", "../outside.txt", "%2e%2e/outside.txt", "", "/etc/passwd", "@/page/play.js"):
        answer = site.client.get(f"/bridge/@{current}/{path}")
        assert answer.status_code == 404, path


def test_the_page_is_told_what_the_experiment_requires_and_is_itself_never_kept(site: Site) -> None:
    write_page(site)
    answer = site.client.get("/play/room?player_id=a")
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r'data-requirements="([^"]*)"', answer.text)
    assert found is not None
    assert isinstance(json.loads(html.unescape(found[1])), list)
