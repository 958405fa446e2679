"""What a trained model makes of missing values and of true negatives."""
