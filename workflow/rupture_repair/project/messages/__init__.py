"""Every message that a user can meet, by its code."""
