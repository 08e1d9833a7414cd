"""What every request passes, whatever it asks: identity, quotas, origins, errors, the description."""
