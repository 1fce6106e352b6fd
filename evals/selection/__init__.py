"""Ways to choose what to show of a film from stored vectors alone, in milliseconds and without a
VideoLLM: the published baselines, and ours in one shot."""
