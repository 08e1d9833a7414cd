"""What can be trained by `mizzle.torch`: a file each experiment, run by `gradients.py`."""
