"""Files on their way to hosts and from hosts: uploads, the library, and what a step does."""
