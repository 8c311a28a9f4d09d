"""A static folder that plays an experiment from any file host: the page, Python, the packages and the experiment, all hashed.

`command` is the command line, `distribution` takes what is needed from the laid-out Pyodide folder, `making` puts a bundle's files
together, `folder` writes and checks them. Nothing here runs an environment, or knows what the page does with the files.
"""
