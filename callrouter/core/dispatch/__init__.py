"""Who is told of a message, by what and when, and what happens until somebody acknowledges it.

`policy` is what a client's file says of it; `progress` is how far a message has come, and what is to
be done next; `house` is what it asks of a plan, `trail` how what happened is called. `opened` is who can open a link to
what is confidential. `subscription` is who else is told
what happens: other systems; `monthly` who is sent a report of each month.
"""

from callrouter.core.dispatch.house import PlanHouse as PlanHouse
from callrouter.core.dispatch.opened import is_closed as is_closed
from callrouter.core.dispatch.opened import unopened as unopened
from callrouter.core.dispatch.policy import Course as Course
from callrouter.core.dispatch.policy import Means as Means
from callrouter.core.dispatch.policy import Policy as Policy
from callrouter.core.dispatch.policy import Reach as Reach
from callrouter.core.dispatch.policy import Step as Step
from callrouter.core.dispatch.policy import is_pin as is_pin
from callrouter.core.dispatch.policy import of_contact as of_contact
from callrouter.core.dispatch.subscription import VERSION as VERSION
from callrouter.core.dispatch.subscription import Kind as Kind
from callrouter.core.dispatch.subscription import Subscription as Subscription
from callrouter.core.dispatch.trail import What as What
