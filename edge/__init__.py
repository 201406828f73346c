"""What a device needs to recognize micro-actions. Imports none of the other rooms."""
