"""What several tests share: factories, random networks, exactness checks, local servers."""
