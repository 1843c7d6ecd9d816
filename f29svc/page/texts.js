// The words of the page: one Spanish text for each word of the API.

export const states = {
  new: ["plain", "Sin datos"],
  draft: ["plain", "Borrador"],
  computed: ["info", "Calculado"],
  validated: ["good", "Validado"],
  sent: ["done", "Presentado"],
  paid: ["done", "Pagado"],
  rectified: ["plain", "Rectificado"],
};
export const declarations = {
  normal: "Con pago",
  sin_pago: "Sin pago",
  sin_movimiento: "Sin movimiento",
};
export const flows = {
  none: ["plain", "Sin registrar"],
  planned: ["info", "Planificado"],
  deferred: ["warn", "Postergado"],
  paid: ["good", "Pagado"],
};
export const severities = {
  error: ["bad", "Error", "errores"],
  warning: ["warn", "Advertencia", "advertencias"],
  note: ["plain", "Nota", "notas"],
};
export const sides = { sale: "Venta", purchase: "Compra" };
export const sections = {
  registered: "Registro",
  pending: "Pendiente",
  not_included: "No incluir",
  claimed: "Reclamado",
  summary: "Resumen",
  books: "Libros",
  manual: "A mano",
};
export const bookStates = { posted: "Publicado", draft: "Borrador", cancelled: "Anulado" };
// Status of a reconciled document: kind of badge, name, what to do.
export const statuses = {
  match: ["good", "Coincide", "Nada que hacer."],
  amount_diff: ["bad", "Monto distinto", "Compare con el documento y corrija el asiento en los libros."],
  type_diff: ["bad", "Tipo distinto", "Corrija el tipo de documento en los libros."],
  period_diff: ["warn", "Otro período", "El registro manda: revise la fecha contable del asiento."],
  duplicate_in_books: ["bad", "Duplicado en libros", "Anule uno de los asientos."],
  missing_in_books: ["bad", "Falta en libros", "Contabilice el documento, o reclámelo si no corresponde."],
  missing_in_rcv: ["bad", "Falta en registro", "Pida el documento al emisor o revise su folio y RUT."],
  pending_in_rcv: ["warn", "Pendiente en registro", "Acepte o reclame antes de la aceptación automática."],
  claimed_in_rcv: ["warn", "Reclamado", "Espere la nota de crédito y anule el asiento."],
  not_an_rcv_document: ["plain", "Fuera del registro", "El registro no lleva este tipo de documento."],
  totals_only: ["plain", "Solo totales", "Boletas y vouchers se comparan por su resumen."],
  ignored: ["plain", "Ignorado", "Es un borrador: publíquelo o elimínelo."],
};
export const amountFields = { net: "neto", exempt: "exento", tax: "IVA", total: "total" };
export const uses = {
  giro: "del giro", supermarket: "supermercado", real_estate: "bienes raíces",
  fixed_asset: "activo fijo", non_recoverable: "sin derecho a crédito", excluded: "no incluir",
};
export const partKinds = {
  vat: "IVA", withheld_vat: "IVA retenido", fee_withheld: "Retención de honorarios",
  other_tax: "Otro impuesto", unresolved: "Impuesto sin asignar", boxed: "Asignado por tabla",
};
export const slots = {
  compra_registro: "Compras, registro", compra_pendiente: "Compras, pendientes",
  compra_no_incluir: "Compras, no incluir", compra_reclamado: "Compras, reclamadas",
  venta: "Ventas, registro", resumen_venta: "Ventas, resumen",
  resumen_compra: "Compras, resumen", resumen_compra_registro: "Compras, resumen",
  books: "Libros", documents: "Libros", odoo: "Libros de Odoo",
};

const rules = {
  formula: "Fórmula del formulario",
  input: "Valor ingresado a mano",
  opening_balance: "Saldo inicial ingresado",
  sale_invoice_giro: "Factura de venta del giro",
  sale_invoice_real_estate: "Venta de bien raíz",
  sale_invoice_fixed_asset: "Venta de activo fijo",
  sale_exempt_part: "Parte exenta de una venta",
  sale_exempt_giro: "Venta exenta del giro",
  sale_exempt_other: "Venta exenta ajena al giro",
  sale_export_invoice: "Factura de exportación",
  sale_export_debit_note: "Nota de débito de exportación",
  sale_export_credit_note: "Nota de crédito de exportación",
  sale_receipt: "Boletas (resumen)",
  sale_voucher: "Comprobantes de pago electrónico",
  sale_debit_note: "Nota de débito emitida",
  sale_debit_note_fixed_asset: "Nota de débito por activo fijo",
  sale_credit_note: "Nota de crédito emitida",
  sale_credit_note_voucher: "Nota de crédito sobre vouchers",
  sale_credit_note_fixed_asset: "Nota de crédito por activo fijo",
  sale_exempt_credit_note: "Nota de crédito exenta",
  sale_liquidation: "Liquidación-factura",
  sale_liquidation_line_7: "Liquidación-factura en línea 7",
  sale_liquidation_commission: "Comisión de liquidación",
  sale_withheld_total: "Factura de compra recibida, retención total",
  sale_withheld_part: "Factura de compra recibida, retención parcial",
  sale_withheld_part_net: "Neto con retención parcial",
  sale_withheld_total_debit_note: "Nota de débito con retención",
  sale_withheld_total_credit_note: "Nota de crédito con retención",
  sale_margin_withheld: "Margen de comercialización retenido",
  sale_margin_agent: "Margen de comercialización, agente",
  purchase_invoice_giro: "Factura de compra del giro",
  purchase_invoice_supermarket: "Compra en supermercado",
  purchase_invoice_real_estate: "Compra de bien raíz",
  purchase_invoice_fixed_asset: "Compra de activo fijo",
  purchase_no_credit: "Compra sin derecho a crédito",
  purchase_no_credit_debit_note: "Nota de débito sin derecho a crédito",
  purchase_no_credit_credit_note: "Nota de crédito sin derecho a crédito",
  purchase_exempt: "Compra exenta",
  purchase_exempt_part: "Parte exenta de una compra",
  purchase_exempt_credit_note: "Nota de crédito exenta recibida",
  purchase_credit_note: "Nota de crédito recibida",
  purchase_debit_note: "Nota de débito recibida",
  import_giro: "Importación del giro",
  import_fixed_asset: "Importación de activo fijo",
  import_no_credit: "Importación sin crédito",
  withheld_total: "IVA retenido por entero",
  withheld_part: "IVA retenido en parte",
  withheld_by_credit_note: "Retención devuelta por nota de crédito",
  fees: "Honorarios pagados en el mes",
};
export const ruleText = (rule) =>
  rules[rule] ?? (rule.startsWith("other_tax_") ? `Otro impuesto ${rule.slice(10)}` : rule);

// Sections of the form by the first line of each; the last form that is known holds for later ones.
const common = [[1, "Ventas y servicios: información"], [7, "Débito fiscal"],
  [24, "Compras: información"], [28, "Crédito fiscal"], [50, "IVA del período"],
  [59, "Retenciones"], [69, "Pagos provisionales (PPM)"], [80, "Subtotal del anverso"],
  [81, "Tributación simplificada y adicionales"], [92, "Impuestos adicionales a bebidas"],
  [111, "Anticipos de cambio de sujeto"], [118, "Retenciones de IVA"]];
export const formSections = {
  V144: [...common, [128, "Créditos especiales"], [134, "Total determinado"],
    [135, "Remanentes de créditos"], [141, "Total a pagar"]],
  V150: [...common, [128, "Venta remota y ferias libres"], [134, "Créditos especiales"],
    [140, "Total determinado"], [141, "Remanentes de créditos"], [147, "Total a pagar"]],
  V122: [[1, "Formulario 29"]],
};

const errors = {
  unreachable: "El servicio no responde. Revise la conexión e intente de nuevo.",
  unauthorized: "La clave no es válida.",
  csrf: "La sesión cambió. Recargue la página.",
  not_found: "No existe.",
  period_closed: "El período está cerrado: la declaración ya se presentó. Para cambiarla, inicie una rectificatoria.",
  busy: "Otra persona está trabajando en este período. Intente en un momento.",
  not_computed: "Todavía es un borrador: calcule primero.",
  not_reconciled: "Todavía no se ha conciliado.",
  no_odoo: "Este servicio no tiene Odoo configurado.",
  books_changed: "Los libros cambiaron mientras se leían. Lea de nuevo.",
  odoo: "Odoo no entregó los libros.",
  too_large: "El archivo es demasiado grande.",
  wrong_file: "El archivo es de otra empresa o de otro período.",
  unreadable_file: "El archivo no se puede leer.",
  bad_inputs: "Los datos ingresados no se pueden usar.",
  bad_folio: "El folio tiene a lo más 20 dígitos.",
  bad_date: "La fecha no corresponde.",
  bad_amount: "El monto no corresponde.",
  bad_reason: "Escriba el motivo (a lo más 200 letras).",
  bad_name: "El nombre del archivo no sirve.",
  bad_query: "Un filtro no se puede usar.",
  wrong_type: "Este tipo de archivo no se acepta: use CSV del registro o JSON de los libros.",
  not_exportable: "La declaración no se puede exportar así.",
  no_postponement: "El IVA no se puede postergar.",
  not_planned: "No hay pago planificado: use «Registrar flujo».",
  is_paid: "Ya está pagado.",
  bad_version: "No hay una versión anterior con que comparar.",
  books_not_of_odoo: "Importe primero los libros desde Odoo.",
  notes_not_allowed: "La configuración del servicio no permite escribir notas en Odoo.",
  internal: "Falló en el servicio; su registro dice más.",
  conflict: "No es posible en este estado.",
};
// Why a VAT cannot be postponed.
const reasons = [
  [/^there is no VAT to pay/, "no hay IVA que pagar (casilla 89)"],
  [/^box 756 is not marked/, "la casilla 756 no está marcada: ingrese la fecha de presentación en Antecedentes"],
  [/^the whole VAT or none/, "se posterga todo el IVA o nada: la casilla 755 no es igual a la 89"],
  [/^only where it is filed in time, by (\d+)-(\d+)-(\d+)/, "solo si se presenta a tiempo, hasta el $3-$2-$1"],
  [/^the return is a draft/, "todavía es un borrador"],
  [/^it is postponed already/, "ya está postergado"],
  [/^it is paid/, "ya está pagado"],
  [/^the open amount is (\d+)/, "falta pagar $1"],
  [/^it was sent later, on (\d+)-(\d+)-(\d+)/, "se presentó después, el $3-$2-$1"],
];
export function reasonText(text) {
  for (const [pattern, words] of reasons) {
    const found = pattern.exec(text);
    if (found) return words.replace(/\$(\d)/g, (_, i) => found[Number(i)]);
  }
  return text;
}

// What the comparison noted about a document.
export const reconcileNotes = {
  "the amounts differ within the tolerance": "los montos difieren dentro de la tolerancia",
  "the books have only a draft of it": "los libros solo tienen un borrador",
  "the books have cancelled it": "los libros lo anularon",
  "it is booked in another month": "está contabilizado en otro mes",
  "it is booked in another month, too": "también está contabilizado en otro mes",
  "added by hand to the return, outside the register": "agregado a mano, fuera del registro",
  "added by hand, and in the register: the addition does not count":
    "agregado a mano y también en el registro: la adición no cuenta",
};

// What the service itself notes in a history; a person's own words stay as they are.
const notes = [
  [/^opened$/, () => "período abierto"],
  [/^computed( again)?$/, () => "calculado"],
  [/^imported (\w+)$/, (m) => `importado: ${slots[m[1]] ?? m[1]}`],
  [/^planned$/, () => "pago planificado"],
  [/^planned, ready to be filed$/, () => "pago planificado, lista para presentar"],
  [/^to (\d+)-(\d+)-(\d+)$/, (m) => `hasta el ${m[3]}-${m[2]}-${m[1]}`],
  [/^(\d+) on (\d+)-(\d+)-(\d+)(?:, (.*))?$/, (m) => `$${Number(m[1]).toLocaleString("es-CL")} el ${
    m[4]}-${m[3]}-${m[2]}${m[5] ? `, número ${m[5]}` : ""}`],
  [/^inputs (\d+)$/, (m) => `antecedentes, revisión ${m[1]}`],
];
export function noteText(text) {
  for (const [pattern, words] of notes) {
    const found = pattern.exec(text);
    if (found) return words(found);
  }
  return text;
}

// Refusals of which the service's own words say more than ours.
const told = new Set(["conflict", "bad_date", "bad_amount", "bad_query", "not_exportable", "odoo"]);
export function errorText(code, message, faults) {
  const text = errors[code] ?? message ?? code;
  const more = faults?.length ? faults : told.has(code) && message ? [message] : [];
  return more.length ? `${text} (${more.slice(0, 20).map(reasonText).join("; ")})` : text;
}
