"""Speech synthesis: prompts and reminder texts as audio, offline."""
