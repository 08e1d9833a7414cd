"""Where jobs are kept: a file of this process alone, or a database that all replicas share."""
