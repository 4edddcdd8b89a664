"""What a run costs: priced rows, explained, with the faces that people and machines read."""
