"""How answers are shown: frames of other libraries, HTML and pictures."""
