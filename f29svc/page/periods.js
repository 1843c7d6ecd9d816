// A company's months: where each stands, when it is due; what waits while the SII is down.
import { h, amount, ask, badge, capital, count, day, daysUntil, empty, icon, inDays, monthName,
  months, pesos, table, time, toast, today } from "./dom.js";
import { call, get, post, url } from "./api.js";
import { declarations, flows, severities, states } from "./texts.js";

const isClosed = (period) => ["sent", "paid"].includes(period.state);

function due(period) {
  if (!period.due) return "–";
  const days = daysUntil(period.due);
  const kind = isClosed(period) ? "" : days < 0 ? "late" : days <= 5 ? "soon" : "";
  return h("span", { class: `due ${kind}` }, day(period.due),
    !isClosed(period) && h("small", {}, inDays(period.due)));
}

export function findingCounts(counts) {
  const some = Object.entries(severities).filter(([name]) => counts[name] > 0);
  if (some.length === 0) return h("span", { class: "muted" }, "Ninguno");
  return h("span", { class: "row tight" }, some.map(([name, [kind, one, many]]) =>
    badge(kind, count(counts[name], one.toLowerCase(), many))));
}

function opener(company, known) {
  const now = today();
  const last = new Date(Date.UTC(Number(now.slice(0, 4)), Number(now.slice(5, 7)) - 2, 1));
  const month = h("select", { "aria-label": "Mes" }, months.map((name, i) =>
    h("option", { value: String(i + 1).padStart(2, "0"), selected: i === last.getUTCMonth() },
      capital(name))));
  const year = h("input", { type: "text", inputmode: "numeric", "aria-label": "Año", maxlength: "4",
    pattern: "20[0-9]{2}", required: true, value: String(last.getUTCFullYear()), class: "year" });
  return h("form", { class: "row opener", onsubmit: (event) => {
    event.preventDefault();
    const period = `${year.value}-${month.value}`;
    location.hash = `#/${company.company}/${period}/${known.has(period) ? "formulario" : "importar"}`;
  } }, month, year, h("button", { type: "submit" }, "Abrir período"));
}

function outagePanel(outage, again) {
  const act = async (begin) => {
    if (begin) {
      const done = await ask("El sitio del SII no responde",
        "Las declaraciones validadas se dejan listas y esperan aquí su turno.",
        [{ name: "reason", label: "Qué se observó", required: true, most: 200 }], "Anotar",
        (values) => post("v1/outage", { reason: values.reason }));
      if (done) again();
    } else {
      await call("DELETE", "v1/outage").catch((error) => toast(error.message, "bad"));
      again();
    }
  };
  const queue = outage.queue;
  if (!outage.on && queue.length === 0) {
    return h("p", { class: "note-line" }, "¿El sitio del SII no responde? ",
      h("button", { class: "link", type: "button", onclick: () => act(true) }, "Anotar la caída"));
  }
  return h("section", { class: `card ${outage.on ? "outage" : ""}`, "aria-label": "Por presentar" },
    h("div", { class: "row between" },
      h("h2", {}, outage.on ? "SII fuera de servicio" : "Por presentar"),
      h("button", { type: "button", onclick: () => act(!outage.on) },
        outage.on ? "Anotar que volvió" : "Anotar una caída")),
    outage.on && h("p", {}, `Desde ${time(outage.since)}, anotado por ${outage.actor}: ${outage.reason}`),
    queue.length === 0
      ? h("p", { class: "muted" }, "Nada espera. Valide una declaración y déjela lista en su cierre.")
      : table("Cola de presentación", [
        { title: "Período", kind: "main", cell: (item) => h("a", { href: `#/${item.company}/${item.period}/formulario` },
          `${item.name || item.company}, ${monthName(item.period)}`) },
        { title: "Vence", cell: (item) => [day(item.due), " ", item.late && badge("bad", "atrasado")] },
        { title: "Lista desde", cell: (item) => time(item.since) },
        { title: "A pagar", kind: "number", cell: (item) => amount(item.to_pay) }], queue));
}

export async function showPeriods(company, again) {
  const path = `v1/companies/${company.company}`;
  const [{ periods }, outage, flow] = await Promise.all([
    get(`${path}/periods`), get("v1/outage"), get(`${path}/flow`)]);
  periods.sort((a, b) => b.period.localeCompare(a.period));
  document.title = `Períodos · ${company.name || company.company}`;
  const open = periods.filter((one) => !isClosed(one));
  const late = open.filter((one) => one.due < today()).length;
  const [next] = open.map((one) => one.due).filter((one) => one >= today()).sort();
  const link = (one) => h("a", { href: `#/${company.company}/${one.period}/formulario`,
    "data-row": true, class: "strong" }, capital(monthName(one.period)));
  const columns = [
    { title: "Período", kind: "main", cell: link },
    { title: "Estado", cell: (one) => [badge(...states[one.state]),
      one.version > 1 && h("small", { class: "muted" }, ` v${one.version}`),
      one.ready && !isClosed(one) && badge("info", "Lista")] },
    { title: "Vence", cell: due },
    { title: "Declaración", cell: (one) => one.state === "draft" ? "–" : declarations[one.declaration] },
    { title: "Hallazgos", cell: (one) => findingCounts(one.findings) },
    { title: "Flujo", cell: (one) => one.flow === "none" ? "–" : badge(...flows[one.flow]) },
    { title: "A pagar", kind: "number", cell: (one) => one.state === "draft" ? "–" : amount(one.to_pay) }];
  return h("div", { class: "page" },
    h("div", { class: "row between head" },
      h("div", {}, h("h1", {}, "Períodos"),
        h("p", { class: "muted" }, `${company.name ? `${company.name} · ` : ""}RUT ${company.company}`)),
      opener(company, new Set(periods.map((one) => one.period)))),
    h("dl", { class: "figures" },
      figure("Abiertos", String(open.length), late > 0 && count(late, "atrasado", "atrasados")),
      figure("Próximo vencimiento", next ? day(next) : "–", next && inDays(next)),
      figure("Planificado", pesos(flow.sums.planned)),
      figure("Postergado", pesos(flow.sums.deferred)),
      figure("Pagado", pesos(flow.sums.paid))),
    outagePanel(outage, again),
    periods.length === 0
      ? empty("Todavía no hay períodos", "Abra un mes e importe los archivos del registro de compras y ventas.")
      : h("section", { class: "card flush" }, table("Períodos", columns, periods)),
    flow.flows.length > 0 && h("p", { class: "row tight" },
      h("a", { class: "button", href: url(`${path}/flow.csv`), download: "" }, icon("download"), "Flujo, CSV"),
      h("a", { class: "button", href: url(`${path}/flow.ics`), download: "" }, icon("download"), "Vencimientos, calendario")));
}

export const figure = (name, value, note) =>
  h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, value, note && h("small", {}, note)));
