"""Who answers problems: the estimator in this process, or a service over HTTP; one interface for both."""
