// Every version of the return with its history, and what a rectification changed.
import { h, amount, badge, day, empty, fill, loading, pesos, table } from "./dom.js";
import { get } from "./api.js";
import { states } from "./texts.js";
import { history } from "./flow.js";
import { openBox } from "./form.js";

export async function showVersions(context) {
  const { detail } = context;
  if (detail.returns.length === 0) return empty("Sin versiones", "La primera aparece al importar.");
  return h("div", { class: "stack" }, [...detail.returns].reverse().map((one) => version(context, one)));
}

function version(context, one) {
  const differences = h("div", {});
  const compare = h("button", { type: "button", "aria-expanded": "false", onclick: async () => {
    compare.disabled = true;
    fill(differences, loading());
    try {
      fill(differences, differenceTable(context,
        await get(`${context.path}/returns/${one.version}/differences`)));
      compare.setAttribute("aria-expanded", "true");
    } catch (error) {
      fill(differences, h("p", { class: "fault", role: "alert" }, error.message));
    }
    compare.disabled = false;
  } }, `Comparar con la versión ${one.version - 1}`);
  return h("section", { class: "card", "aria-label": `Versión ${one.version}` },
    h("div", { class: "row between" },
      h("h2", {}, `Versión ${one.version} `, badge(...states[one.state])),
      one.version > 1 && one.state !== "draft" && compare),
    h("dl", { class: "pairs wide" },
      pair("Vence", day(one.due)), pair("Folio", one.folio || "–"),
      pair("IVA débito", amount(one.iva_debito)), pair("IVA crédito", amount(one.iva_credito)),
      one.sent_on && pair("Presentada", day(one.sent_on)),
      one.paid_on && pair("Pagada", `${day(one.paid_on)}, ${pesos(one.paid_amount)}`),
      one.payment && pair("Número del pago", one.payment),
      pair("Antecedentes", one.inputs_revision ? `revisión ${one.inputs_revision}` : "ninguno")),
    differences,
    history(one.history, (entry) => badge(...states[entry.state])));
}

const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function differenceTable(context, found) {
  if (found.boxes.length === 0) {
    return h("p", { class: "muted" }, `Igual a la versión ${found.against}.`);
  }
  const columns = [
    { title: "Casilla", kind: "main", cell: (box) => h("button", { type: "button", class: "link",
      onclick: () => openBox(context, box.code, found.version) }, `${box.code} ${box.label}`) },
    { title: `Versión ${found.against}`, kind: "number", cell: (box) => amount(box.before) },
    { title: `Versión ${found.version}`, kind: "number", cell: (box) => amount(box.after) },
    { title: "Diferencia", kind: "number", cell: (box) => amount(box.difference) }];
  return table("Diferencias", columns, found.boxes);
}
