"""Training of the embedded models from nothing: `python -m demo.train`, or `make models`."""
