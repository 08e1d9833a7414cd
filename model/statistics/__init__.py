"""What the network gets to see of a sample: one file a statistic, and the tokens made of them."""
