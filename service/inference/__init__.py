"""From a problem to its answer: queue, batches, the worker process and the model in it."""
