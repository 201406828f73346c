"""The live side: camera to labels (``streaming.service``), recordings, and how to receive the stream."""
