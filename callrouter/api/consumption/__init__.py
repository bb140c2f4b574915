"""/api/consumption: what clients consume and pay: `routes`."""
