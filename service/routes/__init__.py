"""The addresses of the service: estimates, what it says of itself, and the page."""
