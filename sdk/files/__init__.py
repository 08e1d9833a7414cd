"""Tables in files: what is packed is unpacked, text becomes cells, and what was assumed is said."""
