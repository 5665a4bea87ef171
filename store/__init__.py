"""The on-disk store of bertdyn: files, arrays and SQL. It knows no measure and no screen."""
