"""What a collector must write down after a call: who said what about paying, with its amount and its day."""
