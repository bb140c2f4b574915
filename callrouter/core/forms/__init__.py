"""What is asked of callers for a message that somebody writes down: forms of a client's file, filled in and checked.

`form` is what a form is, `choosing` which of a client's forms is for a call, `filling` makes a message's values of what
was given, or says what is wrong with it.
"""

from callrouter.core.forms.choosing import form_for as form_for
from callrouter.core.forms.filling import Filled as Filled
from callrouter.core.forms.filling import Wrong as Wrong
from callrouter.core.forms.filling import fill as fill
from callrouter.core.forms.filling import filled_of as filled_of
from callrouter.core.forms.form import Field as Field
from callrouter.core.forms.form import FieldType as FieldType
from callrouter.core.forms.form import Form as Form
from callrouter.core.forms.form import HoursAre as HoursAre
from callrouter.core.forms.form import Urgency as Urgency
from callrouter.core.forms.form import When as When
