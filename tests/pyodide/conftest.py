"""Sets up pytest-pyodide: these tests run inside Pyodide, under Node and in headless Chromium.

Pyodide and all packages come from `build/pyodide`. What was learnt of pytest-pyodide 0.59.2 with it:

- `@run_in_pyodide` works although the host is Python 3.11 and Pyodide's Python is 3.14. It sends the
  function's syntax tree as a pickle, and 3.14 fills in the fields that 3.11 does not know; so keep to syntax
  that both have. The function sees only its arguments and its own imports, nothing of the module around it.
  Arguments and the result travel as pickles too: builtins arrive, objects of classes that only one side has
  do not. Failing assertions are shown with their values, since the lock names pytest, and exceptions arrive
  with their traceback, since it names tblib.
- `selenium.run(code)`, `.run_async(code)` and `.run_js(code)` go the plain way, with JSON-like results. In
  `run_js`, `pyodide` is a global, and `await` and `return` work. `run_async` loads what the code imports,
  `run` does not.
- `selenium` is one Pyodide a module and runtime, shared by its tests with all that they leave behind;
  `selenium_standalone` is a new one for a test, which takes 3 to 5 s.
- In Chromium Pyodide runs on the page's main thread; `selenium_worker` runs it in a worker, and skips under
  Node.
- Chromium is driven through Selenium (the default runner), which adds --headless and --no-sandbox itself and
  finds Debian's chromium and chromedriver on the PATH. The Playwright runner insists on Playwright's own
  build.
- The web server serves the distribution at `selenium.base_url`, in both runtimes.
- pytest must stay at 9.0: the plugin reads a private table of fixtures that later releases have renamed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_pyodide import NodeRunner, SeleniumChromeRunner, get_global_config

# As the worker loads it: without a fixed seed the order of sets, and so digests, would differ between runs.
_LOAD = """
let pyodide = await loadPyodide({
    fullStdLib: false,
    jsglobals: self,
    env: { HOME: "/home/pyodide", PYTHONHASHSEED: "0" },
});
"""

_CALL_SECONDS = 300
"""How long one call into Pyodide may take, for what hangs; 20 s, the default, can pass on a busy machine."""


def _set_node_timeout(runner: Any, seconds: float) -> None:
    """As NodeRunner.set_script_timeout, which leaves the time to wait for the answer itself at 60 s."""
    runner.script_timeout = runner.p.timeout = seconds


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuses to start without a distribution, and loads Pyodide as the product does."""
    distribution = Path(config.getoption("dist_dir"))
    if not (distribution / "pyodide-lock.json").is_file():
        raise pytest.UsageError(f"{distribution} is not laid out; run `make wheels`")
    for runtime in ("node", "chrome", "firefox"):
        get_global_config().set_load_pyodide_script(runtime, _LOAD)
    for runner in (NodeRunner, SeleniumChromeRunner):
        runner.script_timeout = _CALL_SECONDS
    NodeRunner.set_script_timeout = _set_node_timeout


@pytest.fixture(scope="session")
def distribution(request: pytest.FixtureRequest) -> Path:
    """The folder that Pyodide is loaded from."""
    return Path(request.config.getoption("dist_dir"))
