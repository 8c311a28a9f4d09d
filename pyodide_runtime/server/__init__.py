"""The dev server: pages, rooms, signalling and storage for one experiment.

The packages it is made of (`pip install "pyodide_runtime[server]"`) are imported by its submodules only, so
that the rest of the package, and the browser, need none of them. Nothing here ever runs an environment.
"""
