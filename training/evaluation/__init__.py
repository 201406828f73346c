"""How good a model is: on clips, on live footage, and as a challenge would see it."""
