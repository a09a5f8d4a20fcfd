"""What was refused because nobody honest sends it."""
