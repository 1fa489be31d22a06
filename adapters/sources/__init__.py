"""Shop systems and forms: where events come from."""
