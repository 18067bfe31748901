"""How the models are made: data in, splits frozen, one training loop, a signed package out. Needs the extra `train`."""
