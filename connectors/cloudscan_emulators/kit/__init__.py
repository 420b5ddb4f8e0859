"""What the emulators share: a local server, faults on demand, JSON as providers write it."""
