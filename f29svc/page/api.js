// Asking the service. Who comes with a cookie sends the session's token with every change.
import { errorText } from "./texts.js";

export class ApiError extends Error {
  constructor(status, code, message, faults) {
    super(errorText(code, message, faults));
    this.status = status;
    this.code = code;
    this.faults = faults;
  }
}

let csrf = "";
let onSignedOut = () => {};
export function whenSignedOut(act) { onSignedOut = act; }

export function url(path, query) {
  const given = Object.entries(query ?? {}).filter(([, v]) => v !== "" && v !== null && v !== undefined);
  const text = new URLSearchParams(given).toString();
  return path + (text ? `?${text}` : "");
}

function refusal(status, body) {
  const error = body?.error;
  return new ApiError(status, error?.code ?? "", error?.message ?? `HTTP ${status}`,
    error?.faults ?? []);
}

export async function call(method, path, { query, body, type, text } = {}) {
  const headers = {};
  if (method !== "GET") headers["X-CSRF-Token"] = csrf;
  if (type) headers["Content-Type"] = type;
  let response;
  try {
    response = await fetch(url(path, query), { method, headers, body, credentials: "same-origin" });
  } catch {
    throw new ApiError(0, "unreachable", "no answer", []);
  }
  if (response.ok) return text ? response.text() : response.json();
  const error = refusal(response.status, await response.json().catch(() => null));
  if (response.status === 401 && path !== "v1/session") onSignedOut();
  throw error;
}

export const get = (path, query) => call("GET", path, { query });
export const post = (path, query) => call("POST", path, { query });

// Who is here; null: nobody.
export async function session() {
  try {
    const found = await get("v1/session");
    csrf = found.csrf;
    return found;
  } catch (error) {
    if (error.status === 401) return null;
    throw error;
  }
}

export async function signIn(key) {
  const found = await call("POST", "v1/session",
    { body: JSON.stringify({ key }), type: "application/json" });
  csrf = found.csrf;
  return found;
}
export const signOut = () => call("DELETE", "v1/session");

// Sends a file; `progress` is told the part that is sent, 0 to 1.
export function sendFile(path, file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url(path, { name: file.name }));
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.setRequestHeader("Content-Type",
      file.name.toLowerCase().endsWith(".json") ? "application/json" : "text/csv");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 200) return resolve(request.response);
      if (request.status === 401) onSignedOut();
      reject(refusal(request.status, request.response));
    });
    request.addEventListener("error", () => reject(new ApiError(0, "unreachable", "", [])));
    request.send(file);
  });
}
