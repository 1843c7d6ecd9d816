# of_sii_cl: the Formulario 29 in Odoo, through f29svc.
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU
# Lesser General Public License as published by the Free Software Foundation, either version 3 of the
# License, or (at your option) any later version. It comes without any warranty; see the license at
# <https://www.gnu.org/licenses/lgpl-3.0.html>.
"""A month of a company as f29svc has it. Nothing is computed here: the buttons ask the service, and
what it answers is kept to be looked at."""

import base64
import re

from odoo import _, api, fields, models
from odoo.exceptions import UserError, ValidationError

from .f29_client import F29Client, F29Error

STATES = [
    ("draft", "Borrador"),
    ("computed", "Calculado"),
    ("validated", "Validado"),
    ("sent", "Presentado"),
    ("paid", "Pagado"),
]
SHOWN_BOXES = {"91": "box_91", "537": "box_537", "538": "box_538", "77": "box_77"}


class OfSiiPeriod(models.Model):
    _name = "of.sii.period"
    _description = "Período del Formulario 29"
    _order = "period desc, company_id"
    _rec_name = "period"

    period = fields.Char("Período", required=True, help="AAAA-MM", size=7)
    company_id = fields.Many2one("res.company", "Compañía", required=True,
                                 default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(STATES, "Estado", default="draft", readonly=True)
    version = fields.Integer("Versión", readonly=True)
    due = fields.Date("Vence", readonly=True)
    box_538 = fields.Float("Débito fiscal [538]", digits=(16, 0), readonly=True)
    box_537 = fields.Float("Crédito fiscal [537]", digits=(16, 0), readonly=True)
    box_77 = fields.Float("Remanente [77]", digits=(16, 0), readonly=True)
    box_91 = fields.Float("A pagar [91]", digits=(16, 0), readonly=True)
    findings = fields.Text("Hallazgos", readonly=True)
    reconciliation = fields.Text("Conciliación", readonly=True)
    flow_state = fields.Selection(
        [("none", "Sin registrar"), ("planned", "Planificado"), ("deferred", "Postergado"),
         ("paid", "Pagado")], "Flujo", default="none", readonly=True)
    flow_amount = fields.Float("Pago", digits=(16, 0), readonly=True)
    flow_due = fields.Date("Fecha de pago", readonly=True)
    export_format = fields.Selection(
        [("json", "JSON"), ("campos", "Campos"), ("csv", "CSV"), ("xml", "XML")],
        "Formato", default="csv", required=True)

    _sql_constraints = [
        ("company_period", "unique(company_id, period)", "Ese período ya existe."),
    ]

    @api.constrains("period")
    def _check_period(self):
        for one in self:
            if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", one.period or ""):
                raise ValidationError(_("El período se escribe AAAA-MM."))

    # ---- the buttons ----------------------------------------------------------------------------

    def action_compute(self):
        """Calcular: the service reads the books and computes."""
        self.ensure_one()
        with _told():
            client = self._client()
            client.import_odoo(self.period)
            made = client.compute(self.period)
        self._take(made)
        return self._say(_("Calculado."))

    def action_flow(self):
        """Registrar flujo."""
        self.ensure_one()
        with _told():
            flow = self._client().plan_flow(self.period)
        self.write({"flow_state": flow["state"], "flow_amount": flow["amount"],
                    "flow_due": flow["due"] or False})
        return self._say(_("Pago registrado en el flujo."))

    def action_reconcile(self):
        """Conciliar."""
        self.ensure_one()
        with _told():
            report = self._client().reconcile(self.period)
        by_status = report["totals"]["by_status"]
        self.reconciliation = "\n".join(
            f"{status}: {row['documents']}" for status, row in sorted(by_status.items()))
        return self._say(_("Conciliado."))

    def action_export(self):
        """Exportar: the file becomes an attachment of the period."""
        self.ensure_one()
        with _told():
            name, body = self._client().export(self.period, self.export_format)
        attachment = self.env["ir.attachment"].create({
            "name": name, "datas": base64.b64encode(body), "res_model": self._name,
            "res_id": self.id})
        return {"type": "ir.actions.act_url", "target": "self",
                "url": f"/web/content/{attachment.id}?download=true"}

    # ---- parts ----------------------------------------------------------------------------------

    def _client(self):
        self.check_access_rights("write")
        self.check_access_rule("write")
        settings = self.env["ir.config_parameter"].sudo()
        return F29Client(settings.get_param("of_sii_cl.url"), settings.get_param("of_sii_cl.key"),
                         self.company_id.vat)

    def _take(self, made):
        boxes = made["boxes"]
        values = {name: boxes.get(code, 0) for code, name in SHOWN_BOXES.items()}
        values.update(
            state=made["state"], version=made["version"], due=made["due"] or False,
            findings="\n".join(f"{one['severity']}: {one['place']}: {one['message']}"
                               for one in made["findings"][:200]))
        self.write(values)

    @staticmethod
    def _say(text):
        return {"type": "ir.actions.client", "tag": "display_notification",
                "params": {"message": text, "type": "success",
                           "next": {"type": "ir.actions.client", "tag": "soft_reload"}}}


class _told:
    """What the service refuses becomes a message to the user."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, F29Error):
            raise UserError(error.text()) from None
        return False
