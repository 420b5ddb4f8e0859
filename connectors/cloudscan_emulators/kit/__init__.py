"""What the emulators share: a local server with a log of requests, faults on demand, folders, names, JSON text."""
