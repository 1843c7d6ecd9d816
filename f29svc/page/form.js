// The form in the order of its lines; a box opens what made it, down to the document.
import { h, amount, badge, count, day, empty, fill, icon, loading, moreButton, openDialog,
  table } from "./dom.js";
import { get } from "./api.js";
import { formSections, partKinds, ruleText, sections, sides, uses, bookStates } from "./texts.js";
import { figure } from "./periods.js";

const aside = new Set(["count", "base", "rate", "info", "volume", "component", "checkbox", "number"]);
const isZero = (value) => value === 0 || value === "0";

export async function loadForm(path, version) {
  return get(`${path}/form`, { version });
}

export function valueOf(form, code) {
  for (const line of form.lines) {
    const box = line.boxes.find((one) => one.code === code);
    if (box) return box.value;
  }
  return 0;
}

export async function showForm(context) {
  const { detail, path, go } = context;
  if (detail.state === "new") {
    return empty("Sin datos", "Importe los archivos del registro y los libros de este mes.",
      h("button", { class: "primary", type: "button", onclick: () => go("importar") }, "Importar"));
  }
  if (detail.state === "draft") {
    return empty(detail.imports.length ? "Falta calcular" : "Sin datos", detail.imports.length
      ? "Los archivos están importados. «Calcular» llena el formulario."
      : "Importe los archivos del registro y los libros de este mes.",
    !detail.imports.length && h("button", { type: "button", onclick: () => go("importar") }, "Importar"));
  }
  const form = await loadForm(path);
  const at = (code) => valueOf(form, code);
  const all = h("input", { type: "checkbox", id: "all-boxes" });
  const search = h("input", { type: "search", placeholder: "Código o glosa",
    "aria-label": "Buscar una casilla", id: "find-box" });
  const list = h("div", { class: "form card flush" });
  const draw = () => fill(list, lines(context, form, search.value.trim().toLowerCase(), all.checked));
  all.addEventListener("change", draw);
  search.addEventListener("input", draw);
  draw();
  if (context.more) queueMicrotask(() => openBox(context, Number(context.more)));
  return [
    h("dl", { class: "figures strong" },
      figure("Débito fiscal [538]", amount(at(538))),
      figure("Crédito fiscal [537]", amount(at(537))),
      at(77) ? figure("Remanente [77]", amount(at(77))) : figure("IVA determinado [89]", amount(at(89))),
      figure("PPM [62]", amount(at(62))),
      figure("Total determinado [547]", amount(at(547)))),
    h("div", { class: "row between filters" }, search,
      h("label", { class: "check" }, all, "Mostrar también las casillas en 0")),
    list];
}

// ---- lines ------------------------------------------------------------------------------------

const textOf = (label) => {
  const cut = label.indexOf(": ");
  return cut < 0 ? [label, ""] : [label.slice(0, cut), label.slice(cut + 2)];
};

function lines(context, form, search, all) {
  const heads = formSections[form.form] ?? formSections.V150;
  const parts = [];
  let head = -1;
  for (const line of form.lines) {
    if (line.line === 0) continue;
    const fits = (box) => !search || String(box.code) === search ||
      box.label.toLowerCase().includes(search) || String(box.code).startsWith(search);
    const some = line.boxes.filter((box) => (all || !isZero(box.value)));
    if (some.length === 0 || !line.boxes.some(fits)) continue;
    const now = heads.findLastIndex(([first]) => first <= line.line);
    if (now !== head) parts.push(h("h3", {}, heads[now]?.[1] ?? ""));
    head = now;
    parts.push(row(context, line.line, some));
  }
  if (parts.length > 0) return parts;
  return empty("Ninguna casilla", search ? "Ninguna casilla calza con la búsqueda." : "Todas están en 0.");
}

function row(context, number, boxes) {
  const main = boxes.filter((box) => !aside.has(box.kind));
  const left = main.length ? boxes.filter((box) => aside.has(box.kind)) : [];
  const right = main.length ? main : boxes;
  const [title, rest] = textOf((main[0] ?? boxes[0]).label);
  const alone = right.length === 1 && left.length === 0;
  return h("div", { class: "line" },
    h("span", { class: "no", title: `Línea ${number}` }, String(number)),
    h("span", { class: "gloss" }, title, alone && rest && h("small", {}, capitalless(rest))),
    h("span", { class: "boxes" },
      left.map((box) => boxButton(context, box, "side", true)),
      right.map((box) => boxButton(context, box, box.kind === "total" ? "total" : "", !alone))));
}
const capitalless = (text) => ` ${text}`;

function boxButton(context, box, kind, named) {
  const [, rest] = textOf(box.label);
  return h("button", { type: "button", class: `box ${kind} ${box.given ? "given" : ""}`, "data-row": true,
    "data-code": String(box.code),
    "aria-label": `Casilla ${box.code}, ${box.label}: ${amount(box.value)}`,
    onclick: () => openBox(context, box.code) },
  named && rest && h("span", { class: "sub" }, rest),
  h("span", { class: "code" }, String(box.code)),
  h("span", { class: "value" }, amount(box.value)),
  h("span", { class: "sign" }, box.sign.trim()));
}

// ---- where a box comes from -------------------------------------------------------------------

export function openBox(context, code, version) {
  const sheet = openDialog(`Casilla ${code}`, loading(), "sheet");
  const trail = [];
  const step = async (show) => {
    fill(sheet.body, loading());
    try {
      const [title, content] = await show();
      sheet.heading.textContent = title;
      fill(sheet.body, trail.length > 1 && h("button", { class: "quiet back", type: "button",
        onclick: () => { trail.pop(); step(trail.at(-1)); } }, icon("back"), "Volver"), content);
      sheet.body.scrollTop = 0;
    } catch (error) {
      fill(sheet.body, h("p", { class: "fault", role: "alert" }, error.message));
    }
  };
  // `instead`: of what is shown now.
  const to = (show, instead = false) => {
    if (instead) trail.pop();
    trail.push(show);
    step(show);
  };
  to(() => boxView(context, code, version, to));
}

async function boxView(context, code, version, to, box) {
  const part = (offset, limit) => get(`${context.path}/form/${code}`, { version, offset, limit });
  box ??= await part(0, 100);
  const sum = box.entries.reduce((all, one) => all + (typeof one.amount === "number" ? one.amount : 0), 0);
  const whole = box.entries.length === box.total;
  const columns = [
    { title: "Origen", kind: "main", cell: (one) => [h("span", {}, ruleText(one.rule)),
      one.document && h("button", { class: "link", type: "button",
        onclick: () => to(() => documentView(context, { ...one.document, section: one.section })) },
      `${one.document.type_text || one.document.type} ${one.document.folio || ""}`.trim()),
      !one.document && one.detail && h("code", {}, one.detail)] },
    { title: "De", cell: (one) => [one.section ? sections[one.section] ?? one.section : "",
      one.file && h("small", { class: "muted" }, `${one.file}${one.line ? `:${one.line}` : ""}`)] },
    { title: "Monto", kind: "number", cell: (one) => amount(one.amount) }];
  return [`Casilla ${box.code}`, h("div", { class: "stack" },
    h("p", { class: "lead" }, box.label, h("small", { class: "muted" }, ` · línea ${box.line}`)),
    h("p", { class: "huge" }, amount(box.value)),
    box.given && h("p", {}, badge("info", "Valor ingresado a mano")),
    box.formula && h("div", {}, h("h3", {}, "Fórmula"), h("code", { class: "formula" }, box.formula)),
    box.uses.length > 0 && h("div", {}, h("h3", {}, "Casillas que usa"),
      h("ul", { class: "uses" }, box.uses.map((one) => h("li", {},
        h("button", { type: "button", class: "box", onclick: () =>
          to(() => boxView(context, one.code, version, to)) },
        h("span", { class: "sub" }, one.label), h("span", { class: "code" }, String(one.code)),
        h("span", { class: "value" }, amount(one.value))))))),
    box.entries.length > 0 && h("div", {}, h("h3", {}, `Procedencia, ${count(box.total, "entrada", "entradas")}`),
      table("Procedencia", columns, box.entries, box.entries.length > 1 && !box.formula &&
        [whole ? "Suma" : `Suma de las ${box.entries.length} primeras`, "", amount(sum)]),
      moreButton(box.entries.length, box.total, async () => {
        box.entries.push(...(await part(box.entries.length, 500)).entries);
        to(() => boxView(context, code, version, to, box), true);
      })),
    box.entries.length === 0 && box.uses.length === 0 && !box.formula &&
      h("p", { class: "muted" }, "Ningún documento llega a esta casilla."))];
}

// ---- a document -------------------------------------------------------------------------------

export function openDocument(context, key) {
  const sheet = openDialog("Documento", loading(), "sheet");
  documentView(context, key).then(([title, content]) => {
    sheet.heading.textContent = title;
    fill(sheet.body, content);
  }).catch((error) => fill(sheet.body, h("p", { class: "fault", role: "alert" }, error.message)));
}

async function documentView(context, key) {
  const { documents } = await get(`${context.path}/documents`, { side: key.side, type: key.type,
    issuer: key.issuer, folio: key.folio || "" });
  const rank = (one) => one.section === key.section ? 0 : one.section === "books" ? 2 : 1;
  documents.sort((a, b) => rank(a) - rank(b));
  const title = `${documents[0]?.type_text ?? key.type_text ?? `Tipo ${key.type}`} ${key.folio || ""}`;
  if (documents.length === 0) {
    return [title, h("p", { class: "muted" }, "El documento ya no está entre los importados.")];
  }
  return [title.charAt(0).toUpperCase() + title.slice(1), h("div", { class: "stack" },
    documents.map((one) => h("article", { class: "document" },
      h("h3", {}, sections[one.section] ?? one.section, " ",
        one.state !== "posted" && badge("warn", bookStates[one.state])),
      h("dl", { class: "pairs" },
        pair(one.side === "sale" ? "Cliente" : "Proveedor", [one.name || "–",
          h("small", { class: "muted" }, ` ${one.counterparty}`)]),
        pair("Operación", `${sides[one.side]}, tipo ${one.type}`),
        one.count > 1 && pair("Documentos", amount(one.count)),
        one.issued && pair("Emitido", day(one.issued)),
        one.received && pair("Recibido", day(one.received)),
        one.acknowledged && pair("Acuse", day(one.acknowledged)),
        one.claimed && pair("Reclamado", day(one.claimed)),
        one.accounted && pair("Contabilizado", day(one.accounted)),
        one.file && pair("Archivo", [one.file, one.line > 0 && `, línea ${one.line}`]),
        one.move > 0 && pair("Asiento de Odoo", String(one.move))),
      table("Montos", [
        { title: "Concepto", kind: "main", cell: (part) => part[0] },
        { title: "Base", kind: "number", cell: (part) => part[2] ? amount(part[2]) : "" },
        { title: "Monto", kind: "number", cell: (part) => amount(part[1]) }],
      [["Neto", one.net], ["Exento", one.exempt],
        ...one.parts.map((part) => [[partKinds[part.kind] ?? part.kind,
          part.kind === "vat" && part.use !== "giro" ? ` ${uses[part.use] ?? part.use}` : "",
          part.common_use ? " de uso común" : "", part.code ? ` ${part.code}` : ""].join(""),
        part.amount, part.base])], ["Total", "", amount(one.total)]))))];
}

const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
