"""The command line. One module for each command; what is heavy is imported where a command needs it."""
