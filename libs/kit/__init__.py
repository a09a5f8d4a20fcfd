"""The engine room: mechanisms that every service needs and that name no business noun."""
