"""What the arguments of each verb ask for, checked before anything heavy is imported."""
