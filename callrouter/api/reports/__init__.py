"""Reports over HTTP: `routes` gives one as JSON or as a file, `asking` is what a query may ask for."""
