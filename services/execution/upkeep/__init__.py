"""What happens to stored output after its execution: it is packed, and one day removed."""
