#!/usr/bin/env python3
"""The accountant's page in a real browser: a month from its files to a rectification.

page_browser.py F29SVC [--pictures FOLDER]: with a folder, a picture of each view is left there.
"""

import json
import pathlib
import random
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from looks import contrast_faults, layout_faults, nameless, not_reached_by_tab  # noqa: E402
from served import COMPANY, INPUTS, KEY, Service, register_files  # noqa: E402
from webdriver import Browser  # noqa: E402

PERIOD = "2026-06"
WIDTHS = {"wide": (1280, 860), "narrow": (390, 844)}
ESCAPE = "\ue00c"
BOOKS = pathlib.Path(__file__).resolve().parents[1] / "data/books_202606.json"
PICTURES = None
SERVICE = None
BROWSER = None
HOSTILE = "<b onmouseover=alert(1)>Alfa</b> &amp; <img src=x onerror=alert(2)>"
VIEWS = ["formulario", "hallazgos", "conciliacion", "documentos", "antecedentes", "importar", "flujo",
         "versiones", "hoja"]


def chilean(number):
    return f"{abs(number):,}".replace(",", ".") if number >= 0 else "−" + chilean(-number)


def address(rest=""):
    return f"http://{SERVICE.address}/{rest}"


def go(view, period=PERIOD):
    BROWSER.open(address(f"#/{COMPANY}/{period}/{view}"))
    BROWSER.until(f"return document.querySelector('.tabs [aria-current]')?.id === 'tab-{view}' &&"
                  f" location.hash.includes('/{period}/');", f"the view {view}")
    BROWSER.idle()


def picture(name):
    if PICTURES is None:
        return
    BROWSER.run("document.getElementById('toasts').replaceChildren();"
                "if (!document.querySelector('.menu[open]')) document.activeElement?.blur();")
    BROWSER.screenshot(str(PICTURES / f"f29-{name}.png"))


def escape():
    """Leaves a dialog; the focus is back where it was when this returns."""
    BROWSER.keys(ESCAPE)
    BROWSER.until("return !document.querySelector('dialog');", "the dialog to close")


def box_value(code):
    return BROWSER.text(f"[data-code='{code}'] .value")


class Page(unittest.TestCase):
    """One story, in order; each step leaves the month as the next finds it."""

    maxDiff = None

    def looks_right(self, where):
        """At both widths, in both themes, by names and by Tab; ends wide and light."""
        for width in ("narrow", "wide"):
            BROWSER.size(*WIDTHS[width])
            BROWSER.until(f"return innerWidth === {WIDTHS[width][0]};", "the width")
            self.assertEqual(layout_faults(BROWSER), [], f"{where}, {width}")
        for theme in ("dark", "light"):
            BROWSER.theme(theme)
            self.assertEqual(contrast_faults(BROWSER), [], f"{where}, {theme}")
        self.assertEqual(nameless(BROWSER), [], where)
        self.assertEqual(not_reached_by_tab(BROWSER), [], where)

    def no_new_errors(self, *expected):
        """The console has no error but the notes of refusals that were asked for."""
        BROWSER.read_logs()
        errors, BROWSER.errors = BROWSER.errors, []
        left = [one for one in errors if not any(part in one for part in expected)]
        self.assertEqual(left, [])

    def test_01_signs_in(self):
        BROWSER.open(address())
        BROWSER.until_text("Entrar", "h1")
        self.looks_right("sign-in")
        picture("sign-in")
        BROWSER.type("input[name=key]", "a wrong key")
        BROWSER.press("Entrar", "form")
        BROWSER.until_text("La clave no es válida", ".fault")
        BROWSER.type("input[name=key]", KEY)
        BROWSER.press("Entrar", "form")
        BROWSER.until_text("Períodos", "h1")
        BROWSER.idle()
        self.assertIn("Todavía no hay períodos", BROWSER.text("main"))
        self.looks_right("no periods")
        self.no_new_errors("401 (Unauthorized)")

    def test_02_imports_what_is_dropped_and_says_what_is_wrong_with_it(self):
        go("importar")
        files = register_files()
        files["books.json"] = BOOKS.read_bytes()
        sold = next(name for name in files if name.startswith("RCV_VENTA"))
        whole = files[sold]
        files[sold] = whole.replace(b"99980001-7", b"99980001-X", 1)  # no RUT any more
        files["no-es-nada.csv"] = b"hola;chao\n1;2\n"
        BROWSER.drop("#drop", files)
        BROWSER.until(f"return document.querySelectorAll('.upload .badge').length >= {len(files)};",
                      "all files to be taken")
        BROWSER.idle()
        text = BROWSER.text(".uploads")
        self.assertIn("1 fila rechazada", text)
        self.assertIn("No es un RUT", text)
        self.assertIn("Línea 2", text)
        self.assertIn("Rechazado", text)
        self.looks_right("import with faults")
        BROWSER.drop("#drop", {sold: whole})
        BROWSER.until("return document.querySelectorAll('.upload').length === 1 &&"
                      " document.querySelector('.upload .badge')?.textContent === 'Importado';",
                      "the mended file")
        BROWSER.idle()
        picture("import")
        self.assertIn("Ventas, registro", BROWSER.text(".card.flush table"))
        self.no_new_errors("404 (Not Found)", "422 (Unprocessable Entity)")

    def test_03_keeps_inputs_with_their_history(self):
        go("antecedentes")
        self.looks_right("inputs, empty")
        BROWSER.press("Como texto")
        BROWSER.type("textarea", json.dumps({"previous": {"77": 1}, "unknown": 1}))
        BROWSER.press("Guardar revisión")
        BROWSER.until_text("unknown", ".fault")
        BROWSER.type("textarea", json.dumps(INPUTS))
        BROWSER.press("Guardar revisión")
        BROWSER.until_text("Revisión 1", ".history")
        BROWSER.idle()
        self.assertEqual(BROWSER.run("return document.querySelector('[aria-label=Bruto]').value;"),
                         "1.000.000")
        picture("inputs")
        # The form writes what it read.
        BROWSER.press("Guardar revisión")
        BROWSER.until_text("Revisión 2", ".history")
        kept = SERVICE.at("GET", PERIOD, "/inputs")["inputs"]
        self.assertEqual([one["revision"] for one in kept], [2, 1])
        self.assertEqual(json.loads(kept[0]["body"])["previous"], INPUTS["previous"])
        self.assertEqual(kept[0]["actor"], "contadora")
        self.looks_right("inputs")
        self.no_new_errors("422 (Unprocessable Entity)")

    def test_04_computes_and_opens_a_box_down_to_its_document(self):
        BROWSER.press("Calcular", ".toolbar")
        BROWSER.until_text("Calculado: a pagar $301.738", "#toasts")
        go("formulario")
        # Three values that were seeded by the files.
        self.assertEqual(box_value(538), "1.939.996")
        self.assertEqual(box_value(77), "24.355")
        self.assertEqual(box_value(91), "301.738")
        self.looks_right("form")
        picture("form")
        BROWSER.click(BROWSER.find("[data-code='538']"))
        BROWSER.until_text("Casillas que usa", "dialog")
        self.looks_right("box with a formula")
        BROWSER.run("[...document.querySelectorAll('dialog .uses .code')].find((one) =>"
                    " one.textContent === '502').closest('button').click();")
        BROWSER.until_text("Casilla 502", "dialog h2")
        BROWSER.until_text("Suma", "dialog tfoot")
        self.assertIn("1.216.000", BROWSER.text("dialog tfoot"))
        self.looks_right("box with documents")
        picture("box")
        BROWSER.run("document.querySelector('dialog td button.link').click();")
        BROWSER.until_text("Cliente", "dialog")
        self.assertRegex(BROWSER.text("dialog"), r"RCV_VENTA_99999001-0_202606\.csv, línea \d+")
        self.looks_right("document")
        picture("document")
        escape()
        self.no_new_errors()

    def test_05_shows_findings_and_validates(self):
        go("hallazgos")
        self.assertIn("Qué hacer", BROWSER.text(".findings"))
        self.looks_right("findings")
        picture("findings")
        BROWSER.press("Validar", ".toolbar")
        BROWSER.until_text("Validado, sin errores", "#toasts")
        BROWSER.idle()
        self.assertIn("Validado", BROWSER.text("h1"))
        self.no_new_errors()

    def test_06_reconciles_and_filters_with_totals_that_add_up(self):
        BROWSER.press("Conciliar", ".toolbar")
        BROWSER.until("return document.querySelector('#totals tfoot');", "the totals")
        BROWSER.idle()
        report = SERVICE.at("GET", PERIOD, "/reconcile?limit=1000")

        def row(css):
            return BROWSER.run("return [...document.querySelectorAll(arguments[0] + ' td')].map((one) =>"
                               " one.textContent.replace('+', ''));", css)
        totals = report["totals"]
        self.assertEqual(row("#totals tfoot")[1:], [chilean(n) for n in (
            totals["documents"], totals["books"]["total"], totals["register"]["total"],
            totals["diff_total"], totals["diff_tax"])])
        self.assertEqual(totals["documents"], sum(one["documents"] for one in totals["by_status"].values()))
        self.looks_right("reconciliation")
        picture("reconciliation")
        name = "amount_diff"
        BROWSER.click(BROWSER.find(f"#status-{name}"))
        wanted = report["totals"]["by_status"][name]
        BROWSER.until(f"return document.querySelectorAll('#reconciled tbody tr').length ==="
                      f" {len([one for one in report['documents'] if one['status'] == name])};", "the filter")
        BROWSER.idle()
        self.assertEqual(row("#reconciled tfoot")[3:], [chilean(n) for n in (
            wanted["books"]["total"], wanted["register"]["total"], wanted["diff_total"], wanted["diff_tax"])])
        self.looks_right("reconciliation, filtered")
        BROWSER.run("document.querySelector('#reconciled button.link').click();")
        BROWSER.until_text("Qué hacer", "dialog")
        self.looks_right("reconciled document")
        escape()
        BROWSER.type("#find-reconciled", "no hay nadie así")
        BROWSER.until_text("Ningún documento", "main")
        self.no_new_errors("404 (Not Found)", "409 (Conflict)")

    def test_07_plans_the_payment_and_exports(self):
        BROWSER.press("Registrar flujo", ".toolbar")
        BROWSER.until_text("Planificado", ".view h2")
        BROWSER.idle()
        self.assertIn("$301.738", BROWSER.text(".view"))
        self.looks_right("flow")
        picture("flow")
        BROWSER.press("Exportar", ".toolbar")
        BROWSER.until_text("JSON completo", ".menu")
        self.assertEqual(layout_faults(BROWSER), [])
        picture("export")
        links = BROWSER.run("return [...document.querySelectorAll('.menu a[download]')].map((one) => one.href);")
        for link in links:
            status, _, body = SERVICE.call("GET", link.removeprefix(address().rstrip("/")))
            self.assertEqual(status, 200, link)
            self.assertGreater(len(body), 50, link)
        folder = pathlib.Path(BROWSER.downloads)
        BROWSER.click(BROWSER.find(".menu a[href*='format=json']"))
        BROWSER.downloaded(1)
        exported = json.loads(next(folder.iterdir()).read_bytes())
        self.assertEqual(exported["boxes"]["91"], 301738)
        BROWSER.keys(ESCAPE)
        go("hoja")
        self.assertIn("301.738", BROWSER.text("table"))
        self.looks_right("keying sheet")
        picture("sheet")
        self.no_new_errors()

    def test_08_every_other_view_looks_right(self):
        for view in ("documentos", "versiones"):
            go(view)
            self.looks_right(view)
            picture(view)
        sums = SERVICE.at("GET", PERIOD, "/documents?limit=1")["sums"]
        go("documentos")
        self.assertEqual(BROWSER.run("return [...document.querySelectorAll('tfoot td')].map((one) =>"
                                     " one.textContent).slice(4);"),
                         [chilean(sums[one]) for one in ("net", "exempt", "vat", "total")])
        BROWSER.keys("1")
        BROWSER.until_text("Formulario", ".tabs [aria-current]")
        BROWSER.idle()
        BROWSER.keys("j", "j")
        self.assertTrue(BROWSER.run("return document.activeElement.matches('[data-row]');"))
        self.no_new_errors()

    def test_09_closes_and_is_refused_to_compute_again(self):
        BROWSER.press("Cerrar", ".toolbar")
        BROWSER.until_text("Cerrar el período", "dialog h2")
        self.looks_right("closing")
        BROWSER.type("dialog input[name=folio]", "7000123")
        BROWSER.type("dialog input[name=date]", "31-02-2026")
        BROWSER.press("Cerrar período", "dialog")
        BROWSER.until_text("escriba día, mes y año", "dialog .fault")
        BROWSER.type("dialog input[name=date]", "15-07-2026")
        BROWSER.press("Cerrar período", "dialog")
        BROWSER.until_text("Presentado", "h1")
        BROWSER.idle()
        sent = SERVICE.at("GET", PERIOD)
        self.assertEqual((sent["state"], sent["folio"]), ("sent", "7000123"))
        BROWSER.press("Calcular", ".toolbar")
        BROWSER.until_text("El período está cerrado", "dialog")
        self.looks_right("refusal")
        picture("closed")
        self.assertEqual(SERVICE.at("GET", PERIOD)["state"], "sent")
        self.no_new_errors("409 (Conflict)")

    def test_10_rectifies_and_shows_the_differences(self):
        BROWSER.press("Iniciar rectificatoria", "dialog")
        BROWSER.until_text("Motivo", "dialog")
        BROWSER.type("dialog input[name=reason]", "Faltaba el impuesto único")
        BROWSER.press("Iniciar rectificatoria", "dialog[aria-labelledby] form")
        BROWSER.until_text("Versión 2", "h1")
        BROWSER.idle()
        SERVICE.put_inputs(PERIOD, {**INPUTS, "boxes": {**INPUTS["boxes"], "48": 35000}})
        BROWSER.press("Calcular", ".toolbar")
        BROWSER.until_text("Calculado: a pagar $311.738", "#toasts")
        go("versiones")
        BROWSER.press("Comparar con la versión 1")
        BROWSER.until_text("311.738", ".view table")
        BROWSER.idle()
        self.assertIn("10.000", BROWSER.text(".view table"))
        self.looks_right("differences")
        picture("rectified")
        self.no_new_errors()

    def test_11_sums_of_seeded_months_are_those_of_the_documents(self):
        seed = 20260629
        for month in range(1, 5):
            large = month == 4  # more than the page asks for at once
            rng = random.Random(seed + month)
            period = f"2025-{month:02d}"
            moves, debit, credit = [], 0, 0
            for i in range(260 if large else rng.randint(5, 25)):
                net = rng.randint(1, 9_000_000)
                tax = (net * 19 + 50) // 100
                sale = large or rng.random() < .5
                debit += tax if sale else 0
                credit += 0 if sale else tax
                moves.append({
                    "move_type": "out_invoice" if sale else "in_invoice", "state": "posted",
                    "l10n_latam_document_type_code": "33", "partner_vat": "99990001-1",
                    "partner_name": HOSTILE, "l10n_latam_document_number": str(1000 + i),
                    "invoice_date": f"{period}-10", "date": f"{period}-10", "currency": "CLP",
                    "net": net, "exempt": 0, "tax": tax, "amount_total": net + tax})
            SERVICE.import_file(period, "books.json", json.dumps({"moves": moves}).encode())
            made = SERVICE.at("POST", period, "/compute")
            go("formulario", period)
            where = f"seed {seed + month}"
            self.assertEqual(made["boxes"].get("538", 0), debit, where)
            for code in (502, 520, 538, 537, 77, 89, 91):
                value = made["boxes"].get(str(code), 0)
                if value:
                    self.assertEqual(box_value(code), chilean(value), f"{where}, box {code}")
            self.assertEqual(box_value(538) or "0", chilean(debit), where)
            self.assertEqual(box_value(537) or "0", chilean(credit), where)
            exported = SERVICE.at("GET", period, "/export?format=json")
            self.assertEqual(exported["boxes"], made["boxes"], where)
        count = "return document.querySelectorAll(arguments[0]).length;"
        BROWSER.click(BROWSER.find("[data-code='502']"))
        BROWSER.until_text("Mostrar más (100 de 260)", "dialog")
        BROWSER.press("Mostrar más (100 de 260)", "dialog")
        BROWSER.until_text("Suma", "dialog tfoot td")
        BROWSER.until(f"return document.querySelector('dialog tfoot').innerText.includes('{chilean(debit)}');",
                      "the sum of all")
        self.assertEqual(BROWSER.run(count, "dialog tbody tr"), 260)
        escape()
        go("documentos", period)
        BROWSER.press("Mostrar más (100 de 260)")
        BROWSER.until("return document.querySelectorAll('tbody tr').length === 260;", "all rows")
        self.assertEqual(BROWSER.run("return document.querySelector('#more');"), None)
        # What files say is text and nothing else.
        go("documentos", period)
        self.assertIn(HOSTILE, BROWSER.text("table"))
        self.assertEqual(BROWSER.run("return document.querySelectorAll('main b, main img').length;"), 0)
        self.no_new_errors()

    def test_12_periods_and_signing_out(self):
        BROWSER.open(address(f"#/{COMPANY}"))
        BROWSER.until_text("Períodos", "h1")
        BROWSER.idle()
        self.assertIn("Junio 2026", BROWSER.text("table"))
        self.looks_right("periods")
        picture("periods")
        BROWSER.press("Anotar la caída")
        BROWSER.until_text("Qué se observó", "dialog")
        BROWSER.type("dialog input[name=reason]", "No carga el formulario")
        BROWSER.press("Anotar", "dialog form")
        BROWSER.until_text("SII fuera de servicio", "h2")
        BROWSER.idle()
        self.looks_right("outage")
        picture("outage")
        BROWSER.press("Anotar que volvió")
        BROWSER.until_text("¿El sitio del SII no responde?", "main")
        if PICTURES is not None:
            take_more_pictures()
        BROWSER.press("Salir", ".bar")
        BROWSER.until_text("Entrar", "h1")
        self.assertEqual(BROWSER.run("return document.cookie + sessionStorage.length + localStorage.length;"), "00")
        self.no_new_errors()

    def test_13_asked_nobody_but_the_service(self):
        BROWSER.read_logs()
        self.assertGreater(len(BROWSER.seen), 50)
        home = address()
        outside = {one for one in BROWSER.seen if not one.startswith(home)}
        self.assertEqual(outside, set())

    def test_14_would_see_what_looks_wrong(self):
        BROWSER.open(address())
        BROWSER.until_text("Entrar", "h1")
        self.assertEqual(layout_faults(BROWSER), [])

        def spoiled(script, look):
            undo = BROWSER.run("const one = document.querySelector(arguments[0]); const was = one.style.cssText;"
                               "one.style.cssText = arguments[1]; return was;", *script)
            faults = look(BROWSER)
            BROWSER.run("document.querySelector(arguments[0]).style.cssText = arguments[1];", script[0], undo)
            return "; ".join(faults)
        self.assertIn("over each other", spoiled(("h1", "margin-bottom: -40px"), layout_faults))
        self.assertIn("scrolls sideways", spoiled((".hint", "width: 2000px; display: block"), layout_faults))
        self.assertIn("cut by", spoiled(("h1", "height: 9px; overflow: hidden"), layout_faults))
        self.assertIn("Clave", spoiled((".label", "color: rgb(150, 150, 150)"), contrast_faults))
        BROWSER.run("document.querySelector('form button').textContent = '';")
        self.assertIn("button", "; ".join(nameless(BROWSER)))
        BROWSER.run("document.querySelector('form').addEventListener('focusin', (event) => {"
                    " if (event.target.matches('button')) event.stopImmediatePropagation(); });")
        self.assertIn("button", "; ".join(not_reached_by_tab(BROWSER)))
        BROWSER.read_logs()


def take_more_pictures():
    """The same in the dark, and on a telephone."""
    BROWSER.theme("dark")
    go("formulario")
    picture("form-dark")
    for name in VIEWS:
        BROWSER.size(*WIDTHS["narrow"])
        go(name)
        BROWSER.theme("light" if name in ("formulario", "conciliacion") else "dark")
        BROWSER.run("scrollTo(0, 0);")
        picture(f"narrow-{name}")
    BROWSER.size(*WIDTHS["wide"])
    BROWSER.theme("light")


def main():
    global SERVICE, BROWSER, PICTURES
    program = sys.argv.pop(1)
    if "--pictures" in sys.argv:
        at = sys.argv.index("--pictures")
        PICTURES = pathlib.Path(sys.argv[at + 1])
        PICTURES.mkdir(parents=True, exist_ok=True)
        del sys.argv[at:at + 2]
    with tempfile.TemporaryDirectory() as downloads, Service(program) as SERVICE, \
            Browser(downloads) as BROWSER:
        BROWSER.size(*WIDTHS["wide"])
        BROWSER.theme("light")
        result = unittest.main(exit=False, verbosity=1, failfast=True).result
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
