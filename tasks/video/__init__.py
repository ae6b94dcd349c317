"""Videos: what they are, and the formats, poster and preview strip that are made of them, by ffmpeg."""
