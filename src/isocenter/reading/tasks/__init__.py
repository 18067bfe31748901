"""One file per reading task; the list stands in `reading/read.py`."""
