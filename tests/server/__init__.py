"""Laws of the dev server."""
