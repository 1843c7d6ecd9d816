// What is to be paid and when: planned, postponed, paid.
import { h, ask, badge, day, empty, icon, inDays, pesos, time, toast, today } from "./dom.js";
import { get, post, url } from "./api.js";
import { flows, noteText, reasonText } from "./texts.js";
import { figure } from "./periods.js";

export async function showFlow(context) {
  const { path, detail, company, again } = context;
  if (detail.state === "new") return empty("Sin flujo", "Importe y calcule primero.");
  const flow = await get(`${path}/flow`);
  const download = h("p", { class: "row tight" },
    h("a", { class: "button", href: url(`v1/companies/${company.company}/flow.csv`), download: "" },
      icon("download"), "Tesorería, CSV"),
    h("a", { class: "button", href: url(`v1/companies/${company.company}/flow.ics`), download: "" },
      icon("download"), "Calendario, ICS"));
  if (flow.state === "none") {
    return [empty("Sin pago planificado", "«Registrar flujo» planifica el pago de esta declaración para su vencimiento."),
      download];
  }
  const defer = async () => {
    const done = await ask("Postergar el IVA", `Se posterga todo el IVA, presentando a tiempo y marcando la casilla 756.`,
      [{ name: "months", label: "Por cuánto", value: "2", options: [["1", "1 mes"], ["2", "2 meses"]] }],
      "Postergar", (values) => post(`${path}/flow/defer`, values));
    if (done) {
      toast(`IVA postergado al ${day(done.answer.deferred_to)}.`);
      again();
    }
  };
  const pay = async () => {
    const done = await ask("Registrar un pago", "Es la nota de la tesorería; «Cerrar» cierra la declaración.", [
      { name: "date", label: "Fecha", type: "day", value: today(), required: true },
      { name: "amount", label: "Monto", mode: "numeric", hint: "Vacío: lo que falta." },
      { name: "payment", label: "Número del pago", most: 64 }], "Registrar",
    (values) => post(`${path}/flow/pay`, { ...values, amount: values.amount.replaceAll(".", "") }));
    if (done) {
      toast("Pago registrado.");
      again();
    }
  };
  return h("div", { class: "stack" },
    h("section", { class: "card" },
      h("div", { class: "row between" }, h("h2", {}, "Pago ", badge(...flows[flow.state]),
        flow.late && badge("bad", "Atrasado")),
      h("div", { class: "row tight" },
        flow.may_defer && h("button", { type: "button", onclick: defer }, "Postergar IVA"),
        flow.state !== "paid" && h("button", { type: "button", class: "primary", onclick: pay }, "Registrar pago"))),
      h("dl", { class: "figures flat" },
        figure("Monto", pesos(flow.amount)),
        figure("Vence", day(flow.due), flow.state !== "paid" && flow.due && inDays(flow.due)),
        flow.deferred_amount > 0 && figure("Postergado", pesos(flow.deferred_amount), `al ${day(flow.deferred_to)}`),
        flow.paid_amount > 0 && figure("Pagado", pesos(flow.paid_amount), `el ${day(flow.paid_on)}`),
        flow.payment && figure("Número del pago", flow.payment)),
      !flow.may_defer && flow.state === "planned" && flow.why_not.length > 0 &&
        h("div", { class: "muted small" }, h("p", {}, "El IVA no se puede postergar:"),
          h("ul", {}, flow.why_not.map((why) => h("li", {}, reasonText(why)))))),
    history(flow.history, (one) => badge(...flows[one.state])), download);
}

export function history(entries, head) {
  if (entries.length === 0) return null;
  return h("ol", { class: "history", "aria-label": "Historia" }, [...entries].reverse().map((one) =>
    h("li", {}, h("div", {}, head(one), " ", h("span", { class: "muted" }, `${time(one.at)}, ${one.actor}`)),
      one.note && h("p", {}, noteText(one.note)))));
}
