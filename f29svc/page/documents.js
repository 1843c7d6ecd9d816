// The imported documents, with filters; the sums are over all that fit.
import { h, amount, badge, count, day, empty, fill, moreButton, table, toast } from "./dom.js";
import { get } from "./api.js";
import { bookStates, sections, sides } from "./texts.js";
import { openDocument } from "./form.js";

export async function showDocuments(context) {
  if (context.detail.state === "new") return empty("Sin datos", "Importe los archivos de este mes.");
  const filter = { side: "", section: "", type: "", folio: "" };
  const list = h("div", { class: "stack" });
  let turn = 0;
  const part = (offset, limit) => get(`${context.path}/documents`, { ...filter, offset, limit });
  const show = (found) => fill(list, documentList(context, found, async () => {
    const mine = turn;
    found.documents.push(...(await part(found.documents.length, 500)).documents);
    if (mine === turn) show(found);
  }));
  const draw = async () => {
    const mine = ++turn;
    const found = await part(0, 100);
    if (mine === turn) show(found);
  };
  const redraw = () => draw().catch((error) => toast(error.message, "bad"));
  const choose = (name, label, none, names) => h("select", { "aria-label": label, onchange: (event) => {
    filter[name] = event.target.value;
    redraw();
  } }, h("option", { value: "" }, none), Object.entries(names).map(([value, text]) =>
    h("option", { value }, text)));
  let waiting = 0;
  const type = (name, label, kind) => h("input", { type: kind, inputmode: "numeric", class: "short",
    placeholder: label, "aria-label": label, oninput: (event) => {
      filter[name] = event.target.value.replace(/\D/g, "");
      clearTimeout(waiting);
      waiting = setTimeout(redraw, 200);
    } });
  await draw();
  return [h("div", { class: "row filters" },
    choose("side", "Operación", "Ventas y compras", { sale: "Ventas", purchase: "Compras" }),
    choose("section", "Sección", "Secciones", sections),
    type("type", "Tipo", "text"), type("folio", "Folio", "search")), list];
}

function documentList(context, found, more) {
  if (found.documents.length === 0) return empty("Ningún documento", "Ninguno calza con los filtros.");
  const columns = [
    { title: "Documento", kind: "main", cell: (one) => [h("button", { type: "button", class: "link",
      "data-row": true, onclick: () => openDocument(context, one) },
    `${one.type_text || `Tipo ${one.type}`} ${one.folio || ""}`.trim()),
    h("small", { class: "muted" }, one.count > 1 ? `${sides[one.side]}, ${amount(one.count)} documentos` : sides[one.side])] },
    { title: "Contraparte", cell: (one) => [h("span", {}, one.name || "–"),
      h("small", { class: "muted" }, one.counterparty)] },
    { title: "Sección", cell: (one) => [sections[one.section] ?? one.section, " ",
      one.state !== "posted" && badge("warn", bookStates[one.state])] },
    { title: "Emitido", cell: (one) => day(one.issued) },
    { title: "Neto", kind: "number", cell: (one) => amount(one.net) },
    { title: "Exento", kind: "number", cell: (one) => amount(one.exempt) },
    { title: "IVA", kind: "number", cell: (one) => amount(one.vat) },
    { title: "Total", kind: "number", cell: (one) => amount(one.total) }];
  const { sums } = found;
  return [h("div", { class: "card flush" }, table("Documentos", columns, found.documents,
    [`Suma de ${count(found.total, "documento", "documentos")}`, "", "", "", amount(sums.net),
      amount(sums.exempt), amount(sums.vat), amount(sums.total)])),
  moreButton(found.documents.length, found.total, more)];
}
