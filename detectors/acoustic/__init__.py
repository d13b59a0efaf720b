"""How the parties sound: loudness and pitch against the speaker's own, and who talks over whom."""
