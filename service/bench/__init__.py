"""What a user can measure of the service on a machine of their own."""
