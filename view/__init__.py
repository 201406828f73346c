"""What a person looks at: the live page, reviews of recordings, pictures."""
