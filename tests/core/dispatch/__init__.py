"""Who is told of a message."""
