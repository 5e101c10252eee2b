"""The proof against a real PHP: what the gateway lets through is what PHP sees."""
