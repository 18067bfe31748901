"""Arrays in, new arrays out: what is done to pixels before, between and after the models; millimetres where they are real."""
