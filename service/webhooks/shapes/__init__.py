"""What a webhook is sent, by whom it is read: CloudEvents for programs, messages for the robots of chat rooms."""
