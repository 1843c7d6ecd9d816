// What a finding says beyond its title, in Spanish. The service writes English for its log and its
// other readers; here its figures are put into our words. A message that says no more than the
// title is left out.
const n = (text) => Number(text.replaceAll(".", "")).toLocaleString("es-CL", { useGrouping: "always" });

const patterns = [
  [/ has (\d+) documents \(not declared\), IVA (-?\d+)/, (m) => `${n(m[1])} documentos, IVA ${n(m[2])}`],
  [/^common-use IVA (\d+): the factor ([\d.]+)/, (m) => `IVA ${n(m[1])}, factor ${m[2].replace(".", ",")}`],
  [/^common-use IVA (\d+)/, (m) => `IVA ${n(m[1])}`],
  [/^Nro skips: from (\d+) to (\d+)/, (m) => `de ${m[1]} a ${m[2]}`],
  [/^IVA (-?\d+) is not 19 % of the net (-?\d+), difference (-?\d+)/,
    (m) => `IVA ${n(m[1])}, neto ${n(m[2])}, diferencia ${n(m[3])}`],
  [/^issued on (\S+), more than two months before the period: IVA (\S+)/,
    (m) => `emitido el ${day(m[1])}, IVA ${m[2]}`],
  [/^import of (\S+), .*: IVA (\S+)/, (m) => `importación del ${day(m[1])}, IVA ${m[2]}`],
  [/^issued on (\S+), after the period/, (m) => `emitido el ${day(m[1])}`],
  [/^booked on (\S+), outside/, (m) => `contabilizado el ${day(m[1])}`],
  [/^other tax (\d+) (?:\(diesel\) )?of ([\d.]+)/, (m) => `impuesto ${m[1]}, ${m[2]}`],
  [/the given (\S+) replaces (\S+) of/, (m) => `ingresado ${m[1]}, calculado ${m[2]}`],
  [/^ours (\S+), the propuesta has (\S+)/, (m) => `nuestro ${m[1]}, propuesta ${m[2]}`],
  [/box has (-?\d+) and its formula gives (-?\d+)/, (m) => `tiene ${n(m[1])}, la fórmula da ${n(m[2])}`],
  [/lines add up to (-?\d+) but (?:the box has )?(-?\d+)/, (m) => `suman ${n(m[1])}, contra ${n(m[2])}`],
  [/must be ≥ 0 and is (-?[\d.]+)/, (m) => `es ${m[1]}`],
  [/^fee paid on (\S+): withholding (\S+)/, (m) => `pagado el ${day(m[1])}, retención ${m[2]}`],
  [/^paid on (\S+), outside/, (m) => `pagado el ${day(m[1])}`],
  [/^fee not paid yet: withholding (\S+)/, (m) => `retención ${m[1]}`],
  [/IVA ([\d.]+) does not lower the debit/, (m) => `IVA ${m[1]}`],
  [/have the same IVA, ([\d.]+)/, (m) => `IVA ${m[1]}`],
  [/^(\d+) receipts in the detail, IVA ([\d.]+)/, (m) => `${n(m[1])} boletas, IVA ${m[2]}`],
  [/^commission of a liquidación received: IVA ([\d.]+)/, (m) => `IVA ${m[1]}`],
  [/^withheld VAT missing: IVA ([\d.]+)/, (m) => `IVA ${m[1]}`],
  [/^tax (\d+) "([^"]*)".*has no box: (\d+) lines/, (m) => `impuesto ${m[1]} «${m[2]}», ${n(m[3])} líneas`],
  [/^(\d+) documents .*, difference (-?\d+), of it tax (-?\d+)/,
    (m) => `${n(m[1])} documentos, diferencia ${n(m[2])}, de ella IVA ${n(m[3])}`],
  [/^remanente_adjustment (-?\d+): the ledger has (-?\d+), box 504 (-?\d+)/,
    (m) => `libros ${n(m[2])}, casilla 504 ${n(m[3])}, diferencia ${n(m[1])}`],
  [/^added by hand: (.*)$/, (m) => m[1]],
  [/^annuls \S+ (\d+) (\S+) (\d+)/, (m) => `anula ${m[1]} folio ${m[3]} de ${m[2]}`],
  [/^(\d+) more findings of (\S+)/, (m) => `${n(m[1])} más`],
  [/^no holidays are known for (\d+)/, (m) => m[1]],
  [/^a column that is not used: (.*)$/, (m) => `«${m[1]}»`],
  [/^postponement .*: (\d+) of (\d+)/, (m) => `${n(m[1])} de ${n(m[2])}`],
];
const day = (iso) => iso.split("-").reverse().join("-");

export function detailOf(finding) {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(finding.message);
    if (found) return words(found);
  }
  return "";
}

const registers = { PENDIENTE: "pendientes", RECLAMADO: "reclamadas", "NO INCLUIR": "no incluir" };
// "purchase PENDIENTE", "inputs: fees[0]", "moves[3]"; else as it is.
export function subjectOf(subject) {
  const register = /^(sale|purchase) ([A-Z ]+)$/.exec(subject);
  if (register) return `${register[1] === "sale" ? "Ventas" : "Compras"}, ${registers[register[2]] ?? register[2]}`;
  const summary = /^(sale|purchase) (?:type )?(\d+)$/.exec(subject);
  if (summary) return `${summary[1] === "sale" ? "Ventas" : "Compras"}, tipo ${summary[2]}`;
  const input = /^inputs: (\w+)(?:\[(\d+)\])?$/.exec(subject);
  if (input) return `Antecedentes, ${input[1]}${input[2] ? ` ${Number(input[2]) + 1}` : ""}`;
  const move = /^moves\[(\d+)\]$/.exec(subject);
  if (move) return `Asiento ${Number(move[1]) + 1} del archivo`;
  const named = { "due date": "Vencimiento", company: "Empresa", sale: "Ventas", purchase: "Compras",
    reconciliation: "Conciliación" };
  return named[subject] ?? subject.replace(/^tax (\d+)$/, "Impuesto $1").replace(/^period /, "Período ")
    .replace(/^move (\d+)$/, "Asiento $1");
}
