// What the books cannot give: a form for the usual ones, the whole text for the rest, and every
// revision that was kept.
import { h, count, dayInput, empty, fill, field, icon, openDialog, readDay, readWhole, time, toast } from "./dom.js";
import { call, get } from "./api.js";

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const copy = (value) => JSON.parse(JSON.stringify(value));
const pretty = (value) => JSON.stringify(value, null, 2);

function read(body) {
  try {
    const value = JSON.parse(body);
    return isObject(value) ? value : null;
  } catch {
    return null;  // YAML: it is shown as text
  }
}

// What the form below can show without losing anything.
function fits(inputs) {
  const { previous = {}, utm = {}, common_use: common, boxes = {}, fees = [] } = inputs;
  return isObject(previous) && Object.keys(previous).every((key) => ["77", "opening_504"].includes(key)) &&
    isObject(utm) && Object.keys(utm).every((key) => ["previous_filing", "this_filing"].includes(key)) &&
    common === undefined && isObject(boxes) && Array.isArray(fees) && fees.every(isObject);
}

export async function showInputs(context) {
  const { path, detail, again } = context;
  const { inputs: revisions } = await get(`${path}/inputs`).catch((error) => {
    if (error.status === 404) return { inputs: [] };
    throw error;
  });
  const newest = revisions[0]?.body ?? "{}";
  const parsed = read(newest);
  const editor = h("div", { class: "stack" });
  const save = async (body, type) => {
    const { revision } = await call("PUT", `${path}/inputs`, { body, type });
    toast(`Guardado: revisión ${revision}. Calcule de nuevo para usarla.`);
    again();
  };
  const asText = (text) => fill(editor, textEditor(text, save, () => {
    const value = read(text);
    if (value && fits(value)) asForm(value);
    else toast("Este texto tiene más que lo que muestra la ficha.", "bad");
  }));
  const asForm = (value) => fill(editor, formEditor(copy(value), save, asText));
  if (parsed && fits(parsed)) asForm(parsed);
  else asText(newest);
  return h("div", { class: "columns" },
    h("section", { class: "card", "aria-label": "Antecedentes" },
      h("h2", {}, "Antecedentes"),
      h("p", { class: "muted" }, "Lo que no está en el registro ni en los libros."),
      detail.closed && h("p", { class: "notice warn" }, "El período está cerrado: para cambiarlos, inicie una rectificatoria."),
      editor),
    h("section", { class: "card", "aria-label": "Revisiones" },
      h("h2", {}, "Revisiones"),
      revisions.length === 0 ? empty("Ninguna", "La primera aparece al guardar.")
        : h("ol", { class: "history" }, revisions.map((one, i) => h("li", {},
          h("div", {}, h("strong", {}, `Revisión ${one.revision} `),
            h("span", { class: "muted" }, `${time(one.at)}, ${one.actor}`)),
          h("div", { class: "row tight" },
            h("button", { class: "link", type: "button", onclick: () => view(one, revisions[i + 1]) }, "Ver"),
            i > 0 && h("button", { class: "link", type: "button", onclick: () => {
              const old = read(one.body);
              if (old && fits(old)) asForm(old);
              else asText(one.body);
              toast(`Revisión ${one.revision} en el editor: guarde para usarla.`);
            } }, "Traer al editor")))))));
}

// Marks the lines that the revision before had not.
function view(one, before) {
  const text = (body) => (read(body) ? pretty(read(body)) : body).split("\n");
  const old = new Set(before ? text(before.body) : []);
  openDialog(`Revisión ${one.revision}`, [
    before && h("p", { class: "muted" }, `Marcado: lo que no estaba en la revisión ${before.revision}.`),
    h("pre", { class: "code-text", tabindex: "0", role: "group", "aria-label": "Texto de la revisión" },
      text(one.body).map((line) => h("span", { class: before && !old.has(line) ? "added" : "" }, `${line}\n`)))],
  "sheet");
}

// ---- as text ----------------------------------------------------------------------------------

function textEditor(text, save, toForm) {
  const value = read(text) ? pretty(read(text)) : text;
  const area = h("textarea", { rows: "16", spellcheck: "false", class: "code-text",
    "aria-label": "Antecedentes en JSON o YAML" });
  area.value = value;
  return guarded([area, h("p", { class: "hint" }, "JSON o YAML, con las claves de inputs.yaml.")],
    () => save(area.value, read(area.value) ? "application/json" : "application/yaml"),
    h("button", { type: "button", onclick: toForm }, "Como ficha"));
}

// A form that shows its faults where it is.
function guarded(content, send, other) {
  const fault = h("div", { class: "fault", role: "alert", hidden: true });
  const button = h("button", { class: "primary", type: "submit" }, "Guardar revisión");
  return h("form", { class: "stack", onsubmit: async (event) => {
    event.preventDefault();
    fault.hidden = true;
    button.disabled = true;
    try {
      await send();
    } catch (error) {
      fill(fault, error.faults?.length > 1
        ? h("ul", {}, error.faults.map((one) => h("li", {}, one))) : error.message);
      fault.hidden = false;
    }
    button.disabled = false;
  } }, content, fault, h("div", { class: "row between" }, other, button));
}

// ---- as a form --------------------------------------------------------------------------------

function formEditor(inputs, save, asText) {
  const text = (value, attributes) => h("input", { type: "text", autocomplete: "off",
    value: value === undefined || value === null ? "" : String(value).replace(".", ","), ...attributes });
  const number = (value, label) => text(value, { inputmode: "decimal", ...(label && { "aria-label": label }) });
  const money = (value, label) => {
    const one = number(undefined, label);
    one.value = value === undefined || value === "" ? "" : Number(value).toLocaleString("es-CL");
    return one;
  };
  const previous = money(inputs.previous?.["77"]);
  const opening = money(inputs.previous?.opening_504);
  const before = number(inputs.utm?.previous_filing);
  const now = number(inputs.utm?.this_filing);
  const factor = number(inputs.common_use_factor);
  const filed = dayInput(inputs.postpone?.filed_on);
  const boxes = rows("Agregar casilla", Object.entries(inputs.boxes ?? {}), ([code, value] = ["", ""]) => ({
    code: text(code, { inputmode: "numeric", "aria-label": "Código", class: "code", maxlength: "4" }),
    value: number(value, "Valor") }), "Casilla y valor");
  const fees = rows("Agregar honorario", inputs.fees ?? [], (fee = {}) => ({
    gross: money(fee.gross, "Bruto"), rate: number(fee.rate, "Tasa, %"),
    paid: dayInput(fee.paid, { "aria-label": "Pagado el" }) }),
  "Bruto, tasa y fecha de pago");
  const collect = () => {
    const made = copy(inputs);
    const put = (key, value) => { if (Object.keys(value).length) made[key] = value; else delete made[key]; };
    const decimal = (input, name) => {
      const plain = input.value.trim().replace(",", ".");
      if (plain && !/^-?\d+(\.\d+)?$/.test(plain)) throw new Error(`${name}: «${input.value}» no es un número.`);
      return plain;
    };
    const pesos = (input, name) => {
      if (!input.value.trim()) return undefined;
      const value = readWhole(input.value);
      if (value === null) throw new Error(`${name}: «${input.value}» no es un monto en pesos.`);
      return value;
    };
    const date = (input, name) => {
      const iso = input.value.trim() && readDay(input.value);
      if (iso === null) throw new Error(`${name}: «${input.value}» no es una fecha, 15-07-2026.`);
      return iso;
    };
    const some = (pairs) => Object.fromEntries(pairs.filter(([, v]) => v !== undefined && v !== ""));
    put("previous", some([["77", pesos(previous, "Remanente anterior")], ["opening_504", pesos(opening, "Saldo inicial")]]));
    put("utm", some([["previous_filing", decimal(before, "UTM")], ["this_filing", decimal(now, "UTM")]]));
    const given = decimal(factor, "Factor");
    if (given) made.common_use_factor = given;
    else delete made.common_use_factor;
    put("boxes", some(boxes.all().map(({ code, value }) => [code.value.trim(),
      decimal(value, `Casilla ${code.value}`)])));
    const paid = fees.all().filter((fee) => fee.gross.value.trim()).map((fee) => some([
      ["gross", pesos(fee.gross, "Bruto")], ["rate", decimal(fee.rate, "Tasa")], ["paid", date(fee.paid, "Pagado el")]]));
    if (paid.length) made.fees = paid;
    else delete made.fees;
    put("postpone", some([["filed_on", date(filed, "Presentado el")]]));
    return made;
  };
  const kept = ["additions", "settings"].filter((key) => inputs[key] !== undefined);
  return guarded([
    h("fieldset", {}, h("legend", {}, "Mes anterior"), h("div", { class: "fields" },
      field("Remanente, casilla 77", previous), field("o saldo inicial, casilla 504", opening),
      field("UTM al presentar el anterior", before), field("UTM al presentar este", now))),
    h("fieldset", {}, h("legend", {}, "IVA de uso común y postergación"), h("div", { class: "fields" },
      field("Factor de uso común", factor, "Por ejemplo 0,80"),
      field("Presentado el, para postergar", filed))),
    h("fieldset", {}, h("legend", {}, "Casillas ingresadas"), boxes.node),
    h("fieldset", {}, h("legend", {}, "Honorarios"), fees.node),
    kept.length > 0 && h("p", { class: "hint" }, `Se conservan ${count(kept.length, "parte", "partes")} que se editan como texto: ${kept.join(", ")}.`)],
  () => save(pretty(collect()), "application/json"),
  h("button", { type: "button", onclick: () => {
    try {
      asText(pretty(collect()));
    } catch (error) {
      toast(error.message, "bad");
    }
  } }, "Como texto"));
}

// Rows of inputs that can be added and removed.
function rows(adds, values, make, label) {
  const list = [];
  const box = h("div", { class: "stack tight", role: "group", "aria-label": label });
  const add = (value) => {
    const inputs = make(value);
    const node = h("div", { class: "row tight inputs" }, Object.values(inputs),
      h("button", { class: "quiet square", type: "button", "aria-label": "Quitar", onclick: () => {
        list.splice(list.indexOf(inputs), 1);
        node.remove();
      } }, icon("close")));
    list.push(inputs);
    box.append(node);
    return inputs;
  };
  values.forEach((value) => add(value));
  const node = h("div", { class: "stack tight" }, box, h("div", {}, h("button", { class: "link",
    type: "button", onclick: () => Object.values(add())[0].focus() }, adds)));
  return { node, all: () => list };
}
