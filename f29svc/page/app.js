// The frame of the page: who is here, which company, which view. The address after # says where:
// #/COMPANY, #/COMPANY/PERIOD/VIEW[/MORE].
import { h, fill, icon, loading, empty, toast, openDialog } from "./dom.js";
import { get, session, signIn, signOut, whenSignedOut } from "./api.js";
import { showPeriods } from "./periods.js";
import { showPeriod, tabs } from "./period.js";

const app = document.getElementById("app");
const main = h("main", { id: "contenido", tabindex: "-1" });
const state = { user: null, companies: [], turn: 0 };

export function place() {
  const [company = "", period = "", view = "", more = ""] =
    location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { company, period, view, more };
}

// ---- signing in -------------------------------------------------------------------------------

function showSignIn() {
  state.user = null;
  const key = h("input", { type: "password", name: "key", autocomplete: "current-password",
    required: true, spellcheck: "false" });
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const button = h("button", { class: "primary wide", type: "submit" }, "Entrar");
  document.title = "Entrar · Formulario 29";
  fill(app, h("main", { id: "contenido", class: "sign-in" },
    h("form", { class: "card stack", onsubmit: async (event) => {
      event.preventDefault();
      fault.hidden = true;
      button.disabled = true;
      try {
        await signIn(key.value.trim());
        await start();
      } catch (error) {
        fault.textContent = error.message;
        fault.hidden = false;
        button.disabled = false;
        key.select();
      }
    } },
    h("div", { class: "brand big" }, h("span", { class: "mark" }, "F29"), "Formulario 29"),
    h("h1", {}, "Entrar"),
    h("p", { class: "muted" }, "Declaración mensual de IVA: desde el registro y los libros, casilla por casilla."),
    h("label", { class: "field" }, h("span", { class: "label" }, "Clave de acceso"), key,
      h("span", { class: "hint" }, "La entrega quien administra el servicio. Dura 12 horas en este navegador.")),
    fault, button)));
  key.focus();
}

// ---- the frame --------------------------------------------------------------------------------

function showFrame() {
  const company = h("select", { "aria-label": "Empresa", onchange: (event) => {
    location.hash = `#/${event.target.value}`;
  } }, state.companies.map((one) => h("option", { value: one.company }, one.name || one.company)));
  const leave = h("button", { class: "quiet", type: "button", onclick: async () => {
    await signOut().catch(() => {});
    showSignIn();
  } }, "Salir");
  fill(app,
    h("header", { class: "bar" },
      h("a", { class: "brand", href: "#/", "aria-label": "Formulario 29, inicio" },
        h("span", { class: "mark" }, "F29"), h("span", { class: "name" }, "Formulario 29")),
      state.companies.length > 0 && h("div", { class: "company" }, company),
      h("div", { class: "who" }, h("span", { class: "user" }, state.user.user),
        h("button", { class: "quiet square", type: "button", "aria-label": "Teclas",
          onclick: showKeys }, "?"),
        state.user.by === "session" && leave)),
    main);
  state.select = company;
}

function showKeys() {
  const keys = [["1 … 9", "Ir a la pestaña con ese número"], ["/", "Buscar o filtrar"],
    ["j  k", "Fila siguiente o anterior"], ["Enter", "Abrir lo marcado"],
    ["Esc", "Cerrar ventana"], ["?", "Mostrar estas teclas"]];
  openDialog("Teclas", h("dl", { class: "keys" }, keys.map(([key, does]) =>
    [h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)])));
}

function fault(error, again) {
  return h("div", { class: "empty bad", role: "alert" }, icon("alert"),
    h("h2", {}, "No se pudo mostrar"), h("p", {}, error.message),
    h("button", { type: "button", onclick: again }, icon("refresh"), "Intentar de nuevo"));
}

export async function show() {
  if (!state.user) return;
  const turn = ++state.turn;
  const at = place();
  if (!at.company && state.companies.length > 0) {
    location.replace(`#/${state.companies[0].company}`);
    return;
  }
  if (state.companies.length === 0) {
    fill(main, empty("No hay empresas", "Agregue las empresas a la configuración del servicio."));
    return;
  }
  const company = state.companies.find((one) => one.company === at.company);
  if (!company) {
    fill(main, empty("Empresa desconocida", "Este servicio no lleva esa empresa.",
      h("a", { class: "button", href: "#/" }, "Ir al inicio")));
    return;
  }
  state.select.value = company.company;
  main.setAttribute("aria-busy", "true");
  const slow = setTimeout(() => turn === state.turn && fill(main, loading()), 250);
  try {
    const view = at.period ? await showPeriod(company, at, show) : await showPeriods(company, show);
    if (turn !== state.turn) return;
    clearTimeout(slow);
    const focus = document.activeElement?.id;
    fill(main, view);
    if (focus) document.getElementById(focus)?.focus();
  } catch (error) {
    clearTimeout(slow);
    if (turn === state.turn && state.user) fill(main, fault(error, show));
  } finally {
    if (turn === state.turn) main.setAttribute("aria-busy", "false");
  }
}

// ---- keys -------------------------------------------------------------------------------------

function move(step) {
  const rows = [...main.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  if (rows.length === 0) return;
  const now = rows.indexOf(document.activeElement);
  const next = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !state.user) return;
  if (document.querySelector("dialog[open]")) return;
  const at = place();
  const tab = tabs[Number(event.key) - 1];
  if (tab && at.period) location.hash = `#/${at.company}/${at.period}/${tab.name}`;
  else if (event.key === "/") main.querySelector("input[type=search]")?.focus();
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?") showKeys();
  else return;
  event.preventDefault();
});

// ---- the start --------------------------------------------------------------------------------

async function start() {
  fill(app, loading("Abriendo…"));
  try {
    state.user = await session();
    if (!state.user) return showSignIn();
    state.companies = (await get("v1/companies")).companies;
    showFrame();
    await show();
  } catch (error) {
    fill(app, fault(error, start));
  }
}

whenSignedOut(() => {
  if (!state.user) return;
  toast("La sesión terminó. Entre de nuevo.", "bad");
  showSignIn();
});
window.addEventListener("hashchange", show);
start();
