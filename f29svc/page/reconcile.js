// Books against register: totals by status that are filters at the same time, and the documents.
import { h, amount, badge, count, day, empty, fill, icon, loading, monthName, moreButton, openDialog,
  table, time, toast } from "./dom.js";
import { get, post, url } from "./api.js";
import { amountFields, reconcileNotes, sides, statuses } from "./texts.js";
import { findingList } from "./findings.js";

const PAGE = 100;

export async function showReconciliation(context) {
  const { path, detail } = context;
  const none = (text) => empty("Todavía no se ha conciliado", text);
  if (detail.state === "new") return none("Importe el registro y los libros de este mes.");
  const first = await get(`${path}/reconcile`, { limit: PAGE }).catch((error) => {
    if (error.status === 404 || error.status === 409) return null;
    throw error;
  });
  if (!first) return none("«Conciliar» compara los libros con el registro, documento por documento.");

  const filter = { side: "", text: "", min_diff: "", status: new Set() };
  const totals = h("div", { class: "card flush" });
  const list = h("div", { class: "stack" });
  let turn = 0;
  const query = () => ({ side: filter.side, text: filter.text, min_diff: filter.min_diff,
    status: [...filter.status].join(",") });
  const showList = (found) => fill(list, documentTable(found, async () => {
    const mine = turn;
    const next = await get(`${path}/reconcile`,
      { ...query(), offset: found.documents.length, limit: 5 * PAGE });
    found.documents.push(...next.documents);
    if (mine === turn) showList(found);
  }));
  const draw = async (report) => {
    const mine = ++turn;
    const found = report ?? await get(`${path}/reconcile`, { ...query(), limit: PAGE });
    if (mine !== turn) return;
    const focus = document.activeElement?.id;
    fill(totals, totalTable(found, filter, redraw));
    showList(found);
    csv.href = url(`${path}/reconcile.csv`, query());
    if (focus) document.getElementById(focus)?.focus();
  };
  const redraw = () => draw().catch((error) => toast(error.message, "bad"));
  const csv = h("a", { class: "button", href: url(`${path}/reconcile.csv`), download: "" },
    icon("download"), "Descargar, CSV");
  let waiting = 0;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 200);
  };
  const search = h("input", { type: "search", id: "find-reconciled", placeholder: "Nombre, RUT o folio",
    "aria-label": "Buscar un documento", oninput: (event) => {
      filter.text = event.target.value.trim();
      later();
    } });
  const side = h("select", { "aria-label": "Operación", id: "side", onchange: (event) => {
    filter.side = event.target.value;
    redraw();
  } }, h("option", { value: "" }, "Ventas y compras"),
  Object.entries(sides).map(([value, name]) => h("option", { value }, `Solo ${name.toLowerCase()}s`)));
  const least = h("input", { type: "text", inputmode: "numeric", id: "min-diff", placeholder: "Diferencia mínima",
    "aria-label": "Diferencia mínima", class: "short", oninput: (event) => {
      filter.min_diff = event.target.value.replace(/\D/g, "");
      later();
    } });
  await draw(first);
  const { run, ledger, findings } = first;
  return h("div", { class: "stack" },
    h("div", { class: "row between" },
      h("p", { class: "muted" }, `Informe ${run.run}, ${time(run.at)}, por ${run.actor} `,
        run.current ? badge("good", "Al día") : badge("warn", "Hay datos nuevos: concilie otra vez")),
      h("div", { class: "row tight" }, h("button", { type: "button", onclick: () => notes(context) },
        "Notas en Odoo"), csv)),
    totals,
    ledger && ledgerCard(ledger),
    findings.length > 0 && h("details", { class: "card" },
      h("summary", {}, `Observaciones de la comparación (${findings.length})`), findingList(context, findings)),
    h("div", { class: "row filters" }, search, side, least),
    list);
}

// ---- totals -----------------------------------------------------------------------------------

function totalTable(report, filter, redraw) {
  const by = report.totals.by_status;
  const names = Object.keys(statuses).filter((name) => by[name]?.documents > 0);
  const rows = names.map((name) => ({ name, ...by[name] }));
  const sum = (of) => rows.reduce((all, row) => all + of(row), 0);
  const columns = [
    { title: "Estado", kind: "main", cell: (row) => h("button", { type: "button", class: "filter",
      id: `status-${row.name}`, "aria-pressed": String(filter.status.has(row.name)), "data-row": true,
      onclick: () => {
        if (!filter.status.delete(row.name)) filter.status.add(row.name);
        redraw();
      } }, badge(statuses[row.name][0], statuses[row.name][1])) },
    { title: "Documentos", kind: "number", cell: (row) => amount(row.documents) },
    { title: "Libros", kind: "number", cell: (row) => amount(row.books.total) },
    { title: "Registro", kind: "number", cell: (row) => amount(row.register.total) },
    { title: "Diferencia", kind: "number", cell: (row) => difference(row.diff_total) },
    { title: "De IVA", kind: "number", cell: (row) => difference(row.diff_tax) }];
  const node = table("Totales por estado", columns, rows, ["Total", amount(sum((r) => r.documents)),
    amount(sum((r) => r.books.total)), amount(sum((r) => r.register.total)),
    difference(sum((r) => r.diff_total)), difference(sum((r) => r.diff_tax))]);
  node.id = "totals";
  return node;
}

const difference = (value) => value === 0 ? h("span", { class: "muted" }, "0")
  : h("span", { class: "off" }, value > 0 ? "+" : "", amount(value));

// ---- documents --------------------------------------------------------------------------------

function documentTable(report, more) {
  const sums = report.filtered;
  if (report.documents.length === 0) {
    return empty("Ningún documento", "Ninguno calza con los filtros.");
  }
  const columns = [
    { title: "Documento", kind: "main", cell: (one) => [h("button", { type: "button", class: "link",
      "data-row": true, onclick: () => explain(one) },
    `${one.type_text || `Tipo ${one.type}`} ${one.folio ?? ""}`.trim()),
    h("small", { class: "muted" }, `${sides[one.side]}${one.count > 1 ? `, ${one.count} documentos` : ""}`)] },
    { title: "Contraparte", cell: (one) => [h("span", {}, one.name || "–"),
      h("small", { class: "muted" }, one.counterparty || one.issuer)] },
    { title: "Estado", cell: (one) => [badge(...statuses[one.status].slice(0, 2)),
      one.accepted_on && h("small", {}, `se acepta solo el ${day(one.accepted_on)}`)] },
    { title: "Libros", kind: "number", cell: (one) => one.books ? amount(one.books.total) : "–" },
    { title: "Registro", kind: "number", cell: (one) => one.register ? amount(one.register.total) : "–" },
    { title: "Diferencia", kind: "number", cell: (one) => difference(one.diff_total) },
    { title: "De IVA", kind: "number", cell: (one) => difference(one.diff_tax) }];
  const node = table("Documentos comparados", columns, report.documents,
    [`Suma de ${count(report.total, "documento", "documentos")}`, "", "", amount(sums.books.total),
      amount(sums.register.total), difference(sums.diff_total), difference(sums.diff_tax)]);
  node.id = "reconciled";
  return [h("div", { class: "card flush" }, node),
    moreButton(report.documents.length, report.total, more)];
}

function explain(one) {
  const [kind, name, advice] = statuses[one.status];
  const rows = ["net", "exempt", "tax", "total"].map((part) => ({ part,
    books: one.books?.[part], register: one.register?.[part] }));
  const line = (title, value) => value && h("div", {}, h("dt", {}, title), h("dd", {}, value));
  openDialog(`${one.type_text || `Tipo ${one.type}`} ${one.folio ?? ""}`.trim().replace(/^./, (c) =>
    c.toUpperCase()), h("div", { class: "stack" },
    h("p", {}, badge(kind, name), one.manual ? " comparado a mano" : ""),
    h("p", { class: "advice" }, h("strong", {}, "Qué hacer: "), advice),
    h("dl", { class: "pairs" },
      line("Contraparte", `${one.name || "–"} ${one.counterparty || ""}`),
      line("Nota", one.note && (reconcileNotes[one.note] ?? one.note)),
      line("Emisor", one.issuer),
      line("Campo que difiere", one.field && amountFields[one.field]),
      line("Tipo en libros", one.books_type),
      line("Período en libros", one.books_period && monthName(one.books_period)),
      line("Aceptación automática", one.accepted_on && day(one.accepted_on)),
      line("IVA en riesgo", one.tax_at_risk > 0 && amount(one.tax_at_risk)),
      line("Asientos", one.moves.length > 0 && one.moves.join(", "))),
    table("Montos comparados", [
      { title: "Concepto", kind: "main", cell: (row) => amountFields[row.part].replace(/^[a-z]/, (c) => c.toUpperCase()) },
      { title: "Libros", kind: "number", cell: (row) => row.books === undefined ? "–" : amount(row.books) },
      { title: "Registro", kind: "number", cell: (row) => row.register === undefined ? "–" : amount(row.register) },
      { title: "Diferencia", kind: "number", cell: (row) => difference((row.books ?? 0) - (row.register ?? 0)) }], rows)),
  "sheet");
}

function ledgerCard(ledger) {
  return h("section", { class: "card", "aria-label": "Remanente en los libros" },
    h("h3", {}, "Remanente en los libros"),
    h("dl", { class: "pairs wide" },
      h("div", {}, h("dt", {}, "Saldo de la cuenta"), h("dd", {}, amount(ledger.balance))),
      h("div", {}, h("dt", {}, "Casilla 504"), h("dd", {}, amount(ledger.box_504))),
      h("div", {}, h("dt", {}, "Diferencia"), h("dd", {}, difference(ledger.difference)))),
    ledger.proposal.length > 0 && table("Asiento propuesto", [
      { title: "Cuenta", kind: "main", cell: (row) => row.account },
      { title: "Debe", kind: "number", cell: (row) => row.debit ? amount(row.debit) : "" },
      { title: "Haber", kind: "number", cell: (row) => row.credit ? amount(row.credit) : "" }], ledger.proposal));
}

// ---- notes in Odoo: first what would be written, then the writing -------------------------------

async function notes({ path }) {
  const shown = openDialog("Notas en Odoo", loading("Preguntando a Odoo…"), "sheet");
  const results = { would_post: ["info", "Se escribiría"], posted: ["good", "Escrita"],
    already: ["plain", "Ya estaba"], failed: ["bad", "Falló"] };
  const draw = async (dry) => {
    try {
      const answer = await post(`${path}/reconcile/notes`, { dry_run: String(dry) });
      const wanted = answer.notes.filter((note) => note.result === "would_post").length;
      fill(shown.body, h("div", { class: "stack" },
        h("p", { class: "muted" }, "Una nota por documento comparado, una sola vez. No avisa a nadie ni agrega seguidores."),
        table("Notas", [
          { title: "Asiento", kind: "main", cell: (note) => String(note.move) },
          { title: "Nota", cell: (note) => note.text },
          { title: "Resultado", cell: (note) => badge(...results[note.result]) }], answer.notes),
        dry && wanted > 0 && h("button", { class: "primary", type: "button", onclick: () => {
          fill(shown.body, loading("Escribiendo…"));
          draw(false);
        } }, `Escribir ${count(wanted, "nota", "notas")}`)));
    } catch (error) {
      fill(shown.body, h("p", { class: "fault", role: "alert" }, error.message));
    }
  };
  await draw(true);
}
