"""How fast and how small the store is, against the bare engine on the same machine in the same minute."""
