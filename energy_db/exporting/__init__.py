"""What leaves the store as files for other programs, and the way back."""
