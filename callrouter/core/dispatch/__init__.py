"""Who is told of a message, by what and when, and what happens until somebody acknowledges it.

`policy` is what a client's file says of it.
"""

from callrouter.core.dispatch.policy import Course as Course
from callrouter.core.dispatch.policy import Means as Means
from callrouter.core.dispatch.policy import Policy as Policy
from callrouter.core.dispatch.policy import Reach as Reach
from callrouter.core.dispatch.policy import Step as Step
from callrouter.core.dispatch.policy import of_contact as of_contact
