"""The thinking part: one folder per bounded context, and the composition beside them."""
