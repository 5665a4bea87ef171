"""The on-disk store of bertdyn: files, arrays and SQL. It does not know about measures or screens."""
