// Files dropped on the page go to the service one after another; each says what it had and what
// was wrong with its rows.
import { h, amount, badge, count, empty, fill, icon, table, time, toast } from "./dom.js";
import { post, sendFile } from "./api.js";
import { severities, slots } from "./texts.js";
import { adviceOf } from "./advice.js";
import { detailOf, subjectOf } from "./messages.js";

const MOST = 50;  // files of one drop

export async function showImport(context) {
  const { path, detail, again } = context;
  const queue = h("ul", { class: "uploads", "aria-label": "Archivos" });
  const input = h("input", { type: "file", multiple: true, accept: ".csv,.json", id: "files",
    class: "unseen", onchange: (event) => take([...event.target.files]) });
  const zone = h("label", { class: "drop", for: "files", id: "drop" }, icon("upload"),
    h("strong", {}, "Suelte aquí los archivos"),
    h("span", {}, "o elíjalos: RCV de compras y ventas en CSV, libros en JSON"), input);
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take([...event.dataTransfer.files]);
  });

  const table = h("div", {});
  const draw = (imports) => fill(table, importTable(imports));
  draw(detail.imports);
  let busy = Promise.resolve();
  let open = 0;
  function take(files) {
    const taken = files.slice(0, MOST);
    if (files.length > MOST) toast(`Se toman los primeros ${MOST} archivos.`, "bad");
    if (open === 0) queue.replaceChildren();
    open += taken.length;
    zone.classList.add("working");
    for (const file of taken) {
      const item = upload(file);
      queue.append(item.node);
      busy = busy.then(() => item.send(path)).then(() => {
        if (--open > 0) return;
        zone.classList.remove("working");
        input.value = "";
        finished(context, queue);
      });
    }
  }
  const odoo = h("button", { type: "button", onclick: async () => {
    odoo.disabled = true;
    odoo.classList.add("busy");
    const item = upload({ name: "Libros de Odoo", size: 0 });
    queue.append(item.node);
    await item.ask(() => post(`${path}/import/odoo`));
    finished(context, queue);
    odoo.disabled = false;
    odoo.classList.remove("busy");
  } }, "Leer los libros de Odoo");
  if (kept.path === path) {
    queue.append(...kept.nodes);
    kept.path = "";
  }
  return h("div", { class: "stack" },
    detail.closed && h("p", { class: "notice warn" }, "El período está cerrado: para importar, inicie una rectificatoria."),
    zone, queue, h("div", { class: "row" }, odoo,
      h("span", { class: "muted" }, "Reemplazan a los libros importados antes.")),
    h("h3", {}, "Importado"), table);
}

// What was sent stays in sight when the view is drawn again.
const kept = { path: "", nodes: [] };
function finished(context, queue) {
  kept.path = context.path;
  kept.nodes = [...queue.children];
  context.again();
}

function upload(file) {
  const bar = h("progress", { max: "1", value: 0, "aria-label": `Progreso de ${file.name}` });
  const said = h("span", { class: "said" }, "En espera");
  const more = h("div", { class: "more" });
  const node = h("li", { class: "upload" },
    h("div", { class: "row between" }, h("strong", { class: "name" }, file.name), said), bar, more);
  const ask = async (send) => {
    node.classList.add("busy");
    said.textContent = "Enviando…";
    try {
      const answer = await send((part) => {
        bar.value = part;
        if (part >= 1) said.textContent = "Leyendo…";
      });
      bar.remove();
      const one = answer.import;
      const bad = one.rejected > 0;
      fill(said, badge(bad ? "bad" : "good", bad ? "Con rechazos" : answer.repeated ? "Sin cambios" : "Importado"));
      fill(more, h("p", { class: "muted" }, `${slots[one.slot] ?? one.slot}: ${
        count(one.rows, "fila", "filas")}, ${count(one.documents, "documento", "documentos")}${
        one.copies ? `, ${count(one.copies, "copia", "copias")}` : ""}${
        bad ? `, ${count(one.rejected, "fila rechazada", "filas rechazadas")}` : ""}`),
      faults(answer.findings));
    } catch (error) {
      bar.remove();
      fill(said, badge("bad", "Rechazado"));
      fill(more, h("p", { class: "fault", role: "alert" }, error.message));
    }
    node.classList.remove("busy");
  };
  return { node, ask, send: (path) => ask((progress) => sendFile(`${path}/import`, file, progress)) };
}

function faults(findings) {
  if (findings.length === 0) return null;
  const bad = findings.some((one) => one.severity === "error");
  const columns = [
    { title: "Lugar", kind: "main", cell: (one) => one.line ? `Línea ${one.line}${
      one.column ? `, columna ${one.column}` : ""}` : subjectOf(one.subject ?? "Archivo") },
    { title: "Hallazgo", cell: (one) => [badge(severities[one.severity][0], severities[one.severity][1]),
      " ", adviceOf(one)[0], detailOf(one) && h("small", { class: "muted" }, detailOf(one))] },
    { title: "Qué hacer", cell: (one) => adviceOf(one)[1] }];
  return h("details", { open: bad }, h("summary", {}, count(findings.length, "hallazgo", "hallazgos")),
    table("Hallazgos del archivo", columns, findings.slice(0, 200)));
}

function importTable(imports) {
  if (imports.length === 0) return empty("Nada importado", "Los archivos de este mes aparecen aquí.");
  const columns = [
    { title: "Qué", kind: "main", cell: (one) => [h("span", {}, slots[one.slot] ?? one.slot),
      !one.current && badge("plain", "Reemplazado")] },
    { title: "Archivo", cell: (one) => h("span", { class: "name" }, one.name) },
    { title: "Cuándo", cell: (one) => [h("span", {}, time(one.at)), h("small", { class: "muted" }, one.actor)] },
    { title: "Filas", kind: "number", cell: (one) => amount(one.rows) },
    { title: "Documentos", kind: "number", cell: (one) => amount(one.documents) },
    { title: "Rechazadas", kind: "number", cell: (one) => one.rejected
      ? h("span", { class: "off" }, amount(one.rejected)) : "0" }];
  return h("div", { class: "card flush" }, table("Importado", columns, imports));
}
