"""Recording of conversations, and supervision, on a real Asterisk."""
