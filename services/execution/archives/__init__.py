"""All that an execution has collected, as one archive that is made while it is sent."""
