# of_sii_cl: the Formulario 29 in Odoo, through f29svc.
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU
# Lesser General Public License as published by the Free Software Foundation, either version 3 of the
# License, or (at your option) any later version. It comes without any warranty; see the license at
# <https://www.gnu.org/licenses/lgpl-3.0.html>.
from . import models
