// Building the page's nodes, and what numbers and days look like in Chile. Text is always text:
// nothing here takes markup.

const SVG = "http://www.w3.org/2000/svg";
const icons = {
  back: "M10 3 5 8l5 5",
  close: "m4 4 8 8m0-8-8 8",
  down: "m4 6 4 4 4-4",
  right: "m6 4 4 4-4 4",
  upload: "M8 11V3m0 0L5 6m3-3 3 3M3 12v1h10v-1",
  download: "M8 3v8m0 0 3-3m-3 3L5 8m-2 4v1h10v-1",
  check: "m3 8.500 3.200 3.200L13 5",
  print: "M4 6V2h8v4M4 12H2V6h12v6h-2M4 10h8v4H4z",
  alert: "M8 2 1.500 13.500h13zM8 6.500v3.200m0 1.800v.1",
  refresh: "M13 8a5 5 0 1 1-1.500-3.600M13 2v3h-3",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", icons[name]);
  svg.append(path);
  return svg;
}

// h("a", {href: "#/", class: "x", onclick: f}, "text", node, [nodes]): false, null are left out.
export function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in { value: 0, checked: 0, disabled: 0, selected: 0, open: 0 }) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  put(node, children);
  return node;
}

function put(node, children) {
  for (const child of children) {
    if (child === false || child === null || child === undefined) continue;
    if (Array.isArray(child)) put(node, child);
    else node.append(child);
  }
}

export function fill(node, ...children) {
  node.replaceChildren();
  put(node, children);
  return node;
}

// ---- numbers and days -------------------------------------------------------------------------

const whole = new Intl.NumberFormat("es-CL", { maximumFractionDigits: 0, useGrouping: "always" });

export function amount(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value.replace(".", ",");
  return (value < 0 ? "−" : "") + whole.format(Math.abs(value));
}
export const pesos = (value) => (value < 0 ? "−$" : "$") + whole.format(Math.abs(value));
export const count = (n, one, many) => `${whole.format(n)} ${n === 1 ? one : many}`;

// 1.216.000, 1216000, -5 → a whole number; null: it is none.
export function readWhole(text) {
  const plain = text.trim().replaceAll(".", "").replace("−", "-");
  return /^-?\d{1,15}$/.test(plain) ? Number(plain) : null;
}

const MONTHS = ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
  "septiembre", "octubre", "noviembre", "diciembre"];
export const months = MONTHS;

export function monthName(period) {
  const [year, month] = period.split("-");
  return `${MONTHS[Number(month) - 1] ?? month} ${year}`;
}
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function day(iso) {
  if (!iso) return "–";
  const [year, month, date] = iso.slice(0, 10).split("-");
  return `${date}-${month}-${year}`;
}

// 15-07-2026, 15/7/2026 → 2026-07-15; null: it is no day.
export function readDay(text) {
  const found = /^(\d{1,2})[-/.](\d{1,2})[-/.](20\d\d)$/.exec(text.trim());
  if (!found) return null;
  const [, date, month, year] = found.map((part) => part.padStart(2, "0"));
  const at = new Date(`${year}-${month}-${date}T12:00:00Z`);
  return at.getUTCDate() === Number(date) ? `${year}-${month}-${date}` : null;
}
export const dayInput = (iso, attributes) => h("input", { type: "text", inputmode: "numeric",
  placeholder: "dd-mm-aaaa", maxlength: "10", autocomplete: "off", value: iso ? day(iso) : "",
  ...attributes });

const moment = new Intl.DateTimeFormat("es-CL",
  { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit",
    hourCycle: "h23" });
export function time(iso) {
  const at = new Date(iso);
  return iso && !Number.isNaN(at.getTime()) ? moment.format(at).replaceAll("/", "-") : "–";
}

export function today() {
  const now = new Date();
  const two = (n) => String(n).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

export function daysUntil(iso) {
  const at = (text) => Date.UTC(...text.split("-").map((part, i) => Number(part) - (i === 1)));
  return Math.round((at(iso) - at(today())) / 86_400_000);
}

export function inDays(iso) {
  const days = daysUntil(iso);
  if (days === 0) return "hoy";
  if (days === 1) return "mañana";
  if (days === -1) return "ayer";
  return days > 0 ? `en ${days} días` : `hace ${-days} días`;
}

// ---- parts that every view uses ---------------------------------------------------------------

export const badge = (kind, text) => h("span", { class: `badge ${kind}` }, text);

// A table whose rows become cards where the screen is narrow. A column: {title, cell(row), kind}
// with kind "number", "text" or "main" (the card's head). `foot` is a list like the columns.
export function table(caption, columns, rows, foot) {
  const cell = (tag, column, content, row) =>
    h(tag, { role: "cell", class: column.kind ?? "text", "data-label": column.title }, content, row);
  return h("table", { role: "table", class: "data", "aria-label": caption },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
      columns.map((column) => h("th", { role: "columnheader", scope: "col",
        class: column.kind ?? "text" }, column.title)))),
    h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row" },
      columns.map((column) => cell("td", column, column.cell(row)))))),
    foot && h("tfoot", { role: "rowgroup" }, h("tr", { role: "row" },
      columns.map((column, i) => cell("td", column, foot[i])))));
}

// A button below a list that is not whole; `load` fetches the next part and draws anew.
export function moreButton(shown, total, load) {
  if (shown >= total) return null;
  const button = h("button", { type: "button", id: "more", onclick: async () => {
    button.disabled = true;
    try {
      await load();
      document.getElementById("more")?.focus();
    } catch (error) {
      button.disabled = false;
      toast(error.message, "bad");
    }
  } }, `Mostrar más (${amount(shown)} de ${amount(total)})`);
  return button;
}

export const loading = (text = "Cargando…") =>
  h("div", { class: "loading", role: "status" }, h("span", { class: "spinner" }), text);

export const empty = (title, text, ...more) =>
  h("div", { class: "empty" }, h("h3", {}, title), h("p", {}, text), more);

export function field(label, input, hint) {
  return h("label", { class: "field" }, h("span", { class: "label" }, label), input,
    hint && h("span", { class: "hint" }, hint));
}

export function toast(text, kind = "ok") {
  const box = document.getElementById("toasts");
  const node = h("div", { class: `toast ${kind}` }, text);
  box.append(node);
  while (box.children.length > 3) box.firstChild.remove();
  setTimeout(() => node.remove(), 6000);
}

// ---- dialogs ----------------------------------------------------------------------------------

// A dialog over the page; ends with Escape, its cross, or close(). `kind`: "sheet" at the side.
export function openDialog(title, content, kind = "modal") {
  const heading = h("h2", { id: "dialog-title" }, title);
  const body = h("div", { class: "dialog-body" }, content);
  const dialog = h("dialog", { class: kind, "aria-labelledby": "dialog-title" },
    h("header", {}, heading,
      h("button", { class: "quiet square", type: "button", "aria-label": "Cerrar ventana",
        onclick: () => dialog.close() }, icon("close"))),
    body);
  const from = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (from && from.isConnected) from.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, heading, body, close: () => dialog.close() };
}

// Asks for a few fields. fields: [{name, label, type, value, hint, required}]. Resolves with their
// values, or null. `send` may refuse: then its error stays in the dialog.
export function ask(title, text, fields, action, send) {
  return new Promise((resolve) => {
    const inputs = {};
    const fault = h("p", { class: "fault", role: "alert", hidden: true });
    const button = h("button", { class: "primary", type: "submit" }, action);
    let done = null;
    const form = h("form", { class: "stack", onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      const values = {};
      try {
        for (const one of fields) {
          const text = inputs[one.name].value.trim();
          values[one.name] = one.type === "day" && text ? readDay(text) : text;
          if (values[one.name] === null) throw new Error(`${one.label}: escriba día, mes y año, 15-07-2026.`);
        }
        done = { values, answer: await send(values) };
        asked.close();
      } catch (error) {
        fault.textContent = error.message;
        fault.hidden = false;
        button.disabled = false;
      }
    } },
    text && h("p", { class: "muted" }, text),
    fields.map((one) => {
      const attributes = { name: one.name, type: "text", value: one.value ?? "",
        required: one.required ?? false, maxlength: one.most ?? false, inputmode: one.mode ?? false,
        autocomplete: "off" };
      inputs[one.name] = one.type === "day"
        ? dayInput(one.value, { name: one.name, required: one.required ?? false })
        : one.options
        ? h("select", { name: one.name }, one.options.map(([value, label]) =>
          h("option", { value, selected: value === one.value }, label)))
        : h("input", attributes);
      return field(one.label, inputs[one.name], one.hint);
    }),
    fault,
    h("div", { class: "row end" },
      h("button", { type: "button", onclick: () => asked.close() }, "Cancelar"), button));
    const asked = openDialog(title, form);
    asked.dialog.addEventListener("close", () => resolve(done));
    (Object.values(inputs)[0] ?? button).focus();
  });
}
