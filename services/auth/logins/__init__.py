"""Who is logged in where, and how that ends early."""
