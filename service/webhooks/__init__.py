"""Other systems are told of calls over HTTP: signed, retried, never in a call's way."""
