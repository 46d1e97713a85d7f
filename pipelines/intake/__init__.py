"""What a build reads: rows of sources become prompts, recorded responses and judgments."""
