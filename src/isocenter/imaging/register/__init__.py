"""Two images of one thing brought onto one another."""
