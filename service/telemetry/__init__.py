"""What is measured of a running service: Prometheus' metrics and OpenTelemetry's spans."""
