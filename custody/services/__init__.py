"""Acts upon goods in hand, each with what the ledger, the registry and the marks must say of it."""
