"""The administrator's rooms: settings that are changed in the console, and how they are read and written in forms."""
