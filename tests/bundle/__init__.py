"""Laws of static bundles."""
