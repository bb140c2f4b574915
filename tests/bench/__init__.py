"""What the benches rest on, and short forms of those that promise more than speed."""
