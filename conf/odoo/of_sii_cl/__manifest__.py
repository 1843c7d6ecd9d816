# of_sii_cl: the Formulario 29 in Odoo, through f29svc.
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU
# Lesser General Public License as published by the Free Software Foundation, either version 3 of the
# License, or (at your option) any later version. It comes without any warranty; see the license at
# <https://www.gnu.org/licenses/lgpl-3.0.html>.
{
    "name": "Formulario 29 (f29svc)",
    "summary": "Calcula, concilia y exporta el F29 con el servicio f29svc",
    "version": "17.0.1.0.0",
    "category": "Accounting/Localizations",
    "author": "Ofitec",
    "license": "LGPL-3",
    "depends": ["account"],
    "data": [
        "security/of_sii_cl_security.xml",
        "security/ir.model.access.csv",
        "views/of_sii_period_views.xml",
        "views/res_config_settings_views.xml",
    ],
    "installable": True,
    "application": True,
}
