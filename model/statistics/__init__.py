"""The statistics that the network sees of a sample: a file each, the list of all, and the tokens of them."""
