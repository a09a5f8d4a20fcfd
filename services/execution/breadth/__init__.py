"""What many hosts at once ask for in addition: a number that somebody typed, and a proof."""
