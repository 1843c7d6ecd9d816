// One month: its head with state, due day and what to pay, the buttons, and a view below.
import { h, amount, ask, badge, capital, day, icon, inDays, monthName, openDialog, pesos, time, toast,
  today } from "./dom.js";
import { call, get, post, url } from "./api.js";
import { declarations, severities, states } from "./texts.js";
import { figure } from "./periods.js";
import { showForm } from "./form.js";
import { findingList, showFindings } from "./findings.js";
import { showReconciliation } from "./reconcile.js";
import { showDocuments } from "./documents.js";
import { showInputs } from "./inputs.js";
import { showImport } from "./importing.js";
import { showFlow } from "./flow.js";
import { showVersions } from "./versions.js";
import { showSheet } from "./sheet.js";

export const tabs = [
  { name: "formulario", title: "Formulario", show: showForm },
  { name: "hallazgos", title: "Hallazgos", show: showFindings },
  { name: "conciliacion", title: "Conciliación", show: showReconciliation },
  { name: "documentos", title: "Documentos", show: showDocuments },
  { name: "antecedentes", title: "Antecedentes", show: showInputs },
  { name: "importar", title: "Importar", show: showImport },
  { name: "flujo", title: "Flujo", show: showFlow },
  { name: "versiones", title: "Versiones", show: showVersions },
  { name: "hoja", title: "Hoja", show: showSheet },
];

const fresh = (period) => ({ period, version: 0, state: "new", closed: false, due: "",
  declaration: "normal", to_pay: 0, folio: "", computed_at: "", ready: false, flow: "none",
  findings: { error: 0, warning: 0, note: 0 }, returns: [], imports: [] });

export async function showPeriod(company, at, again) {
  const path = `v1/companies/${company.company}/periods/${at.period}`;
  const detail = await get(path).catch((error) => {
    if (error.status === 404 && /^20\d\d-(0[1-9]|1[0-2])$/.test(at.period)) return fresh(at.period);
    throw error;
  });
  const view = tabs.find((tab) => tab.name === at.view) ?? tabs[0];
  const context = { company, path, detail, period: at.period, more: at.more, again,
    go: (name) => { location.hash = `#/${company.company}/${at.period}/${name}`; } };
  document.title = `${view.title} · ${capital(monthName(at.period))}`;
  const content = await view.show(context);
  return h("div", { class: "page" }, head(context), actions(context), navigation(context, view),
    h("section", { class: "view", "aria-label": view.title }, content));
}

// ---- the head ---------------------------------------------------------------------------------

const order = ["draft", "computed", "validated", "sent", "paid"];

function steps(detail) {
  const names = { draft: "Importado", computed: "Calculado", validated: "Validado",
    sent: "Presentado", paid: "Pagado" };
  const reached = detail.state === "draft" && detail.imports.length === 0 ? -1
    : order.indexOf(detail.state);
  return h("ol", { class: "steps", "aria-label": "Avance" }, order.map((name, i) =>
    h("li", { class: i <= reached ? "done" : "", "aria-current": i === reached ? "step" : false },
      h("span", { class: "dot" }, i <= reached && icon("check")), names[name])));
}

function head({ company, detail, period }) {
  const made = detail.state !== "new" && detail.state !== "draft";
  return h("header", { class: "period-head" },
    h("div", { class: "row between" },
      h("div", {},
        h("p", { class: "crumbs" }, h("a", { href: `#/${company.company}` }, "Períodos"), " / ",
          company.name || company.company),
        h("h1", {}, capital(monthName(period)), " ", badge(...states[detail.state]),
          detail.version > 1 && badge("plain", `Versión ${detail.version}`),
          detail.ready && !detail.closed && badge("info", "Lista para presentar"))),
      steps(detail)),
    h("dl", { class: "figures" },
      figure("A pagar", made ? pesos(detail.to_pay) : "–", made && declarations[detail.declaration]),
      figure("Vence", detail.due ? day(detail.due) : "–",
        detail.due && !detail.closed && inDays(detail.due)),
      figure("Hallazgos", Object.values(detail.findings).reduce((a, b) => a + b, 0),
        ["error", "warning"].filter((name) => detail.findings[name] > 0).map((name) =>
          `${detail.findings[name]} ${severities[name][detail.findings[name] === 1 ? 1 : 2].toLowerCase()}`)
          .join(", ")),
      figure("Folio", detail.folio || "–"),
      figure("Calculado", made ? time(detail.computed_at) : "–")));
}

function navigation({ company, detail, period }, view) {
  const counts = { hallazgos: detail.findings.error + detail.findings.warning,
    versiones: detail.returns.length > 1 ? detail.returns.length : 0 };
  return h("nav", { class: "tabs", "aria-label": "Vistas del período" }, tabs.map((tab) =>
    h("a", { href: `#/${company.company}/${period}/${tab.name}`, id: `tab-${tab.name}`,
      "aria-current": tab === view ? "page" : false }, tab.title,
    counts[tab.name] > 0 && h("span", { class: "count" }, String(counts[tab.name])))));
}

// ---- the buttons ------------------------------------------------------------------------------

// A refusal is shown, not just told: it may have faults, and a way on.
export function showRefusal(title, error, ...ways) {
  openDialog(title, h("div", { class: "stack" },
    h("p", { role: "alert" }, error.message),
    ways.length > 0 && h("div", { class: "row end" }, ways)));
}

async function run(context, button, act) {
  button.disabled = true;
  button.classList.add("busy");
  try {
    await act();
  } catch (error) {
    const closed = error.code === "period_closed";
    showRefusal(closed ? "Período cerrado" : "No se hizo", error,
      closed && h("button", { class: "primary", type: "button", onclick: (event) => {
        event.target.closest("dialog").close();
        rectify(context);
      } }, "Iniciar rectificatoria"));
  } finally {
    button.disabled = false;
    button.classList.remove("busy");
  }
}

async function rectify(context) {
  const done = await ask("Rectificar", "Se abre una versión nueva, en borrador. La presentada queda como está hasta que presente la nueva.",
    [{ name: "reason", label: "Motivo", required: true, most: 200 }], "Iniciar rectificatoria",
    (values) => post(`${context.path}/rectify`, { reason: values.reason }));
  if (!done) return;
  toast(`Versión ${done.answer.return.version} abierta.`);
  context.again();
}

async function close(context) {
  const { path, detail } = context;
  const version = detail.returns.find((one) => one.version === detail.version);
  const sent = detail.state === "sent";
  const done = sent
    ? await ask("Registrar el pago", `Declaración con folio ${detail.folio || "–"}.`, [
      { name: "date", label: "Fecha de pago", type: "day", value: today(), required: true },
      { name: "amount", label: "Monto", mode: "numeric", value: amount(detail.to_pay), required: true },
      { name: "payment", label: "Número del pago", most: 64, hint: "Del banco o de la tesorería; opcional." }],
    "Registrar pago", (values) => post(`${path}/returns/${version.version}/paid`, {
      date: values.date, amount: values.amount.replaceAll(".", ""), payment: values.payment }))
    : await ask("Cerrar el período", "Anota que la declaración se presentó en el sitio del SII. Desde entonces no se puede recalcular: solo rectificar.", [
      { name: "folio", label: "Folio del SII", mode: "numeric", most: 20, hint: "El número que entrega el SII al declarar." },
      { name: "date", label: "Fecha de presentación", type: "day", value: today(), required: true }],
    "Cerrar período", (values) => post(`${path}/returns/${version.version}/sent`, values));
  if (!done) return;
  toast(sent ? "Pago registrado." : "Período cerrado.");
  context.again();
}

function exportMenu({ company, path, detail, period }) {
  const link = (title, href, note) => h("li", {}, h("a", { href, download: "" }, h("span", {}, title),
    h("small", {}, note)));
  const version = { version: detail.version };
  const menu = h("details", { class: "menu" },
    h("summary", { class: "button" }, icon("download"), "Exportar"),
    h("ul", {},
      link("JSON completo", url(`${path}/export`, { format: "json", ...version }), "con la procedencia de cada casilla"),
      link("Campos", url(`${path}/export`, { format: "campos", ...version }), "código y valor"),
      link("CSV", url(`${path}/export`, { format: "csv", ...version }), "para planilla"),
      link("XML", url(`${path}/export`, { format: "xml", ...version }), "con su esquema"),
      link("Conciliación, CSV", url(`${path}/reconcile.csv`), "último informe"),
      h("li", {}, h("a", { href: `#/${company.company}/${period}/hoja` }, h("span", {}, "Hoja de digitación"),
        h("small", {}, "para copiar en el formulario web"))),
      h("li", { class: "muted" }, "Ninguno es un formato de carga del SII.")));
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  return menu;
}

function actions(context) {
  const { path, detail } = context;
  const next = { draft: detail.imports.length > 0 ? "compute" : "", computed: "validate",
    validated: "close", sent: "close" }[detail.state] ?? "";
  // `asks`: it opens a dialog, which has a button of its own to be busy.
  const button = (name, title, act, off = false, asks = false) => {
    const node = h("button", { type: "button", id: `do-${name}`, disabled: off,
      class: name === next ? "primary" : "", onclick: () => asks ? act() : run(context, node, act) },
    title);
    return node;
  };
  const none = detail.state === "new";
  return h("div", { class: "toolbar", role: "toolbar", "aria-label": "Acciones" },
    button("compute", "Calcular", async () => {
      const made = await post(`${path}/compute`);
      toast(`Calculado: a pagar ${pesos(made.boxes["91"] ?? 0)}.`);
      context.again();
    }, none),
    button("validate", "Validar", async () => {
      const result = await post(`${path}/validate`);
      if (result.valid) toast("Validado, sin errores.");
      else openDialog("No está para presentar", findingList(context, result.findings));
      context.again();
    }, none),
    button("reconcile", "Conciliar", async () => {
      const report = await post(`${path}/reconcile`);
      toast(report.run.repeated ? "Sin cambios desde el último informe." : "Conciliado.");
      if (location.hash.endsWith("/conciliacion")) context.again();
      else context.go("conciliacion");
    }, none),
    button("flow", "Registrar flujo", async () => {
      const flow = await post(`${path}/flow/plan`);
      toast(`Pago de ${pesos(flow.amount)} planificado para el ${day(flow.due)}.`);
      if (location.hash.endsWith("/flujo")) context.again();
      else context.go("flujo");
    }, none),
    exportMenu(context),
    detail.state === "validated" && button("ready", detail.ready ? "Quitar de la cola" : "Dejar lista",
      async () => {
        await call(detail.ready ? "DELETE" : "POST", `${path}/returns/${detail.version}/ready`);
        toast(detail.ready ? "Ya no está en la cola." : "Lista para presentar, en la cola.");
        context.again();
      }),
    button("close", detail.state === "sent" ? "Registrar pago" : "Cerrar", () => close(context),
      none || detail.state === "paid", true),
    button("rectify", "Rectificar", () => rectify(context), !detail.closed, true));
}
