"""What is read in each kind of scope, and in which order it is told."""
