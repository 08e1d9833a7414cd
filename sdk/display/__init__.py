"""Records and arrays as frames of other libraries, as text and HTML, and as pictures."""
