"""Which ticket is written when, and how a plan is carried out in a tracker."""
