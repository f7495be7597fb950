"""Real telephones on loopback: an Asterisk of its own and SIPp in the part of residents and agents."""
