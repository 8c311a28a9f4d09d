"""Laws of what surrounds a match in a participant's browser, all in CPython: records in and out, keys, pictures, uploads."""
