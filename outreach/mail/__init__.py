"""Mail as bytes and as a dialogue: building messages, and handing one to a submission server."""
