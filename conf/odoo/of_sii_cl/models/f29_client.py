# of_sii_cl: the Formulario 29 in Odoo, through f29svc.
#
# This program is free software: you can redistribute it and/or modify it under the terms of the GNU
# Lesser General Public License as published by the Free Software Foundation, either version 3 of the
# License, or (at your option) any later version. It comes without any warranty; see the license at
# <https://www.gnu.org/licenses/lgpl-3.0.html>.
"""Asking f29svc. Knows nothing of Odoo, so that it can be tried against the service itself.

Every answer is read with a limit, every call has a time, and an error carries what f29svc said and
nothing of the connection.
"""

import http.client
import json
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request

TIMEOUT_S = 60
ANSWER_BYTES_MAX = 32 << 20
FORMATS = {
    "json": "application/json",
    "campos": "application/json",
    "csv": "text/csv",
    "xml": "application/xml",
}


class F29Error(Exception):
    """What did not work, in words for the user. `code` is the service's, or "unreachable"."""

    def __init__(self, code, message, faults=()):
        super().__init__(message)
        self.code = code
        self.message = message
        self.faults = list(faults)

    def text(self):
        return "\n".join([self.message, *self.faults])


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to somebody else."""

    def redirect_request(self, *_):
        return None


def rut(vat):
    """The RUT as the service writes it, 99999001-0, out of CL99.999.001-0 and the like."""
    plain = re.sub(r"[^0-9kK]", "", re.sub(r"^CL", "", (vat or "").strip().upper()))
    if len(plain) < 2:
        raise F29Error("bad_rut", "La compañía no tiene RUT.")
    return f"{plain[:-1].lstrip('0')}-{plain[-1]}"


class F29Client:
    """One service and one company. Opens a connection for each call."""

    def __init__(self, url, key, company_vat, timeout_s=TIMEOUT_S):
        parts = urllib.parse.urlsplit((url or "").rstrip("/"))
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise F29Error("bad_url", "La dirección de f29svc no es válida.")
        if parts.query or parts.fragment:
            raise F29Error("bad_url", "La dirección de f29svc no es válida.")
        if parts.scheme == "http" and not local and "." in parts.hostname:
            raise F29Error("bad_url", "f29svc fuera de esta máquina necesita https.")
        if not key:
            raise F29Error("no_key", "Falta la clave de f29svc en los ajustes.")
        self._base = urllib.parse.urlunsplit(parts)
        self._key = key
        self._company = rut(company_vat)
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(
            _NoRedirect, urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()))

    # ---- the buttons ----------------------------------------------------------------------------

    def import_odoo(self, period):
        """The service reads the books of the month itself."""
        return self._json("POST", self._at(period, "import/odoo"))

    def compute(self, period):
        return self._json("POST", self._at(period, "compute"))

    def plan_flow(self, period):
        return self._json("POST", self._at(period, "flow/plan"))

    def reconcile(self, period):
        return self._json("POST", self._at(period, "reconcile"))

    def export(self, period, form="json"):
        """(name of the file, bytes)."""
        if form not in FORMATS:
            raise F29Error("bad_format", "Ese formato no existe.")
        body = self._bytes("GET", self._at(period, "export"), {"format": form})
        ending = "json" if form == "campos" else form
        name = "f29_campos" if form == "campos" else "f29"
        return f"{name}_{self._company}_{period}.{ending}", body

    def period(self, period):
        """Where the month stands; None: the service has nothing of it."""
        try:
            return self._json("GET", self._at(period))
        except F29Error as error:
            if error.code == "not_found":
                return None
            raise

    # ---- the wire -------------------------------------------------------------------------------

    def _at(self, period, rest=""):
        if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", period or ""):
            raise F29Error("bad_period", "El período se escribe AAAA-MM.")
        path = f"/v1/companies/{self._company}/periods/{period}"
        return f"{path}/{rest}" if rest else path

    def _json(self, method, path, query=None):
        try:
            answer = json.loads(self._bytes(method, path, query))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise F29Error("bad_answer", "f29svc respondió algo que no se entiende.")
        return answer

    def _bytes(self, method, path, query=None):
        url = self._base + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        request = urllib.request.Request(
            url, method=method, data=b"" if method == "POST" else None,
            headers={"Authorization": f"Bearer {self._key}", "Accept": "*/*"})
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                body = answer.read(ANSWER_BYTES_MAX + 1)
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused.code, refused.read(1 << 20)) from None
        except (OSError, http.client.HTTPException, socket.timeout):
            raise F29Error("unreachable", "f29svc no responde.") from None
        if len(body) > ANSWER_BYTES_MAX:
            raise F29Error("too_large", "La respuesta de f29svc es demasiado grande.")
        return body


def _refusal(status, body):
    try:
        error = json.loads(body)["error"]
        return F29Error(str(error["code"]), _TEXTS.get(error["code"], str(error["message"])),
                        [str(fault) for fault in error.get("faults", [])][:20])
    except (ValueError, KeyError, TypeError):
        return F29Error("bad_answer", f"f29svc respondió con el estado {status}.")


_TEXTS = {
    "unauthorized": "f29svc no acepta la clave de los ajustes.",
    "not_found": "f29svc no tiene esa compañía o ese período.",
    "period_closed": "El período está cerrado: la declaración ya se presentó.",
    "busy": "Otra persona está trabajando en este período. Intente en un momento.",
    "not_computed": "Todavía es un borrador: calcule primero.",
    "no_odoo": "f29svc no está conectado a este Odoo.",
}
