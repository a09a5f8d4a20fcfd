"""Files on their way from people: pieces that follow each other, checked at the end."""
