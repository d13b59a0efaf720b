"""What the agent must say or do: by a time of the call, or in answer to the debtor."""
