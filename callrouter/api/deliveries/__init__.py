"""What web services are told of calls, and were not: `routes`, which answer `schemas`."""
