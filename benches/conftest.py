"""Makes the suites importable: pytest puts the folder of a conftest on the path."""
