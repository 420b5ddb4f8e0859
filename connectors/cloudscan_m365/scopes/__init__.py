"""What is read in each kind of scope, and the facts in their order."""
