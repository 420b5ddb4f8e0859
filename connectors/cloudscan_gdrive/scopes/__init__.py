"""What is read in each kind of scope, and the order in which it is yielded."""
