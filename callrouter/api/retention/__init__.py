"""/api/retention: for how long what is kept, and what was deleted when; `routes`, `schemas`."""
