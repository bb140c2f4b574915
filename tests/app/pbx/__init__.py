"""Between the engine and its PBX's queues and telephones."""
