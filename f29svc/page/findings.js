// What was found, grouped by what it is, with what to do; each place opens its box or document.
import { h, badge, count, empty, fill, toast } from "./dom.js";
import { get } from "./api.js";
import { severities } from "./texts.js";
import { adviceOf } from "./advice.js";
import { detailOf, subjectOf } from "./messages.js";
import { openBox, openDocument } from "./form.js";

const ranks = ["error", "warning", "note"];

// "box 504", "purchase 33 99990001-1 1001" (or only its place).
function placeOf(context, finding) {
  const subject = finding.subject ?? "";
  const box = /^box (\d+)$/.exec(subject);
  if (box) {
    return h("button", { class: "link", type: "button", "data-row": true,
      onclick: () => openBox(context, Number(box[1])) }, `Casilla ${box[1]}`);
  }
  const document = /^(sale|purchase) (\d+) (\S+) (\d+)$/.exec(subject);
  if (document) {
    const [, side, type, issuer, folio] = document;
    return h("button", { class: "link", type: "button", "data-row": true,
      onclick: () => openDocument(context, { side, type, issuer, folio }) },
    `${side === "sale" ? "Venta" : "Compra"} ${type}, folio ${folio}, ${issuer}`);
  }
  return h("span", {}, finding.file ? `${finding.file}${finding.line ? `, línea ${finding.line}` : ""}${
    finding.column ? `, columna ${finding.column}` : ""}` : subjectOf(subject || finding.place));
}

export function findingList(context, findings) {
  const groups = new Map();
  for (const finding of findings) {
    const key = `${ranks.indexOf(finding.severity)} ${finding.code}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(finding);
  }
  return h("div", { class: "findings" }, [...groups.entries()].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([, group]) => {
      const [title, advice] = adviceOf(group[0]);
      const [kind, name] = severities[group[0].severity];
      const places = h("ul", {}, group.slice(0, 200).map((one) => h("li", {}, placeOf(context, one),
        detailOf(one) && h("small", { class: "muted" }, detailOf(one)))));
      return h("article", { class: `finding ${kind}` },
        h("h3", {}, badge(kind, name), h("span", { class: "title" }, title),
          group.length > 1 && h("span", { class: "muted" }, count(group.length, "vez", "veces"))),
        h("p", { class: "advice" }, h("strong", {}, "Qué hacer: "), advice),
        group.length > 3 ? h("details", {}, h("summary", {}, "Ver dónde"), places) : places);
    }));
}

export async function showFindings(context) {
  const { path, detail } = context;
  if (detail.state === "new") return empty("Sin datos", "Importe los archivos de este mes.");
  const list = h("div", {});
  let chosen = "";
  const buttons = h("div", { class: "row tight", role: "group", "aria-label": "Gravedad" });
  const draw = async () => {
    const found = await get(`${path}/findings`, { severity: chosen, limit: 1000 });
    const all = ranks.reduce((sum, name) => sum + found.counts[name], 0);
    const chip = (name, text, n) => h("button", { type: "button", class: "chip", id: `severity-${name}`,
      "aria-pressed": String(chosen === name), onclick: async () => {
        chosen = name;
        await draw().catch((error) => toast(error.message, "bad"));
        document.getElementById(`severity-${name}`)?.focus();
      } }, text, h("span", { class: "count" }, String(n)));
    fill(buttons, chip("", "Todos", all),
      ranks.map((name) => chip(name, severities[name][1], found.counts[name])));
    fill(list, found.findings.length === 0
      ? empty("Sin hallazgos", chosen ? "Ninguno de esta gravedad." : "Nada que corregir.")
      : findingList(context, found.findings),
    found.total > found.findings.length && h("p", { class: "muted" },
      `Se muestran ${found.findings.length} de ${found.total}.`));
  };
  await draw();
  return [h("div", { class: "row between filters" }, buttons), list];
}
