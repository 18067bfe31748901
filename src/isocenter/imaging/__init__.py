"""Arrays in, new arrays out: what is done to pixels around the models; millimetres where they are real."""
