// The keying sheet: the boxes in the order of the form, to type them into the SII's web form.
import { h, amount, capital, day, empty, icon, monthName, pesos, table, time } from "./dom.js";
import { states } from "./texts.js";
import { loadForm } from "./form.js";

export async function showSheet({ company, path, detail, period }) {
  if (detail.state === "new" || detail.state === "draft") {
    return empty("Todavía no hay hoja", "Calcule el formulario primero.");
  }
  const form = await loadForm(path);
  const rows = form.lines.flatMap((line) => line.boxes).filter((box) =>
    box.line > 0 && box.value !== 0 && box.value !== "0");
  return h("div", { class: "sheet-page card" },
    h("div", { class: "row between no-print" },
      h("p", { class: "muted" }, "Para copiar en el formulario web del SII, en orden de líneas."),
      h("button", { class: "primary", type: "button", onclick: () => window.print() }, icon("print"), "Imprimir")),
    h("header", { class: "sheet-head" },
      h("h2", {}, `Formulario 29 · ${capital(monthName(period))}`),
      h("p", {}, `${form.name || company.name} · RUT ${form.company} · versión ${form.version} · ${
        states[form.state][1]}${form.folio ? ` · folio ${form.folio}` : ""}`),
      h("p", {}, `Vence el ${day(form.due)} · calculado el ${time(detail.computed_at)} · a pagar ${pesos(form.to_pay)}`)),
    table("Hoja de digitación", [
      { title: "Línea", kind: "number narrow", cell: (box) => String(box.line) },
      { title: "Código", kind: "number narrow strong", cell: (box) => String(box.code) },
      { title: "Glosa", kind: "main", cell: (box) => box.label },
      { title: "Valor", kind: "number strong", cell: (box) => amount(box.value) },
      { title: "", kind: "narrow", cell: (box) => box.sign.trim() }], rows));
}
