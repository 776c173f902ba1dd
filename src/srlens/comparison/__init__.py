"""One window (or field, or sweep) of one picture, by one or several networks."""
