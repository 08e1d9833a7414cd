"""Below HTTP's meaning: connections, framing, and refusals while there is no room."""
