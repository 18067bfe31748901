"""Files and bytes on one side, volumes and cines on the other."""
