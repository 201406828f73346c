"""Training of networks on pictures: MANet on the videos of MA-52, or on your own."""
