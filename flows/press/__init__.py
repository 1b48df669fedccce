"""An invented press on loopback: what the demo and the end-to-end test read instead of the real web."""
