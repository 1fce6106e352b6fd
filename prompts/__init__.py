"""Every prompt, one file each, and the function that renders them."""
