"""What readers are given: copies of the store that nobody writes to, each of them whole."""
