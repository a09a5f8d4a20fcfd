"""The one public door: credentials, limits, headers, documentation, the console's files, proxy."""
