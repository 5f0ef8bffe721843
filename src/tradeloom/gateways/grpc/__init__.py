"""gRPC: a venue's connector as a service of its own."""
