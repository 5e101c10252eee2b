"""Which calls exist for a user, worked out a second time: slowly, obviously, and without the product's code."""
