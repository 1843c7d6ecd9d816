"""What a script can see of a page's looks: text that is cut, lies over other text or leaves the
screen, contrast, and what a keyboard or a screen reader meets."""

# The visible text of the uppermost layer: of an open dialog, else of the page. What floats over the
# page on purpose (notices, an open menu) is looked at on its own.
TEXTS = """
const layer = document.querySelector("dialog[open]") ?? document.body;
const skipped = layer === document.body ? "dialog, #toasts, .menu ul, .skip, noscript" : "x-none";
const texts = [];
const walker = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const box = node.parentElement;
  if (!node.data.trim() || box.closest(skipped) || !box.checkVisibility()) continue;
  if (getComputedStyle(box).color === "rgba(0, 0, 0, 0)") continue;
  if (box.closest("option, script, style")) continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const rect of range.getClientRects()) {
    if (rect.width > 1 && rect.height > 1) texts.push({node, box, rect});
  }
}
const said = (one) => one.node.data.trim().slice(0, 40);
"""

# Faults of the arrangement, as a list of sentences.
LAYOUT = TEXTS + """
const faults = [];
const wide = document.documentElement;
if (wide.scrollWidth > innerWidth) {
  const widest = [...document.querySelectorAll("body *")].find((one) =>
    one.getBoundingClientRect().right > innerWidth + 1);
  faults.push(`scrolls sideways: ${wide.scrollWidth} > ${innerWidth}, ${widest?.className}`);
}
for (const one of texts) {
  const {rect, box} = one;
  if (rect.left < -1 || rect.right > innerWidth + 1) faults.push(`leaves the screen: ${said(one)}`);
  for (let at = box; at && at !== document.body; at = at.parentElement) {
    const style = getComputedStyle(at);
    const cuts = ["hidden", "clip"].includes(style.overflowX) || ["hidden", "clip"].includes(style.overflowY);
    if (!cuts) continue;
    const frame = at.getBoundingClientRect();
    if (rect.left < frame.left - 1.5 || rect.right > frame.right + 1.5 ||
        rect.top < frame.top - 1.5 || rect.bottom > frame.bottom + 1.5) {
      faults.push(`cut by .${at.className}: ${said(one)}`);
    }
  }
}
for (const input of layer.querySelectorAll("input, select")) {
  if (!input.checkVisibility() || input.matches(".unseen, [type=checkbox]")) continue;
  if (input.scrollWidth > input.clientWidth + 1) faults.push(`cut in its field: ${input.value || input.placeholder}`);
  const shown = input.matches("select") ? input.selectedOptions[0]?.text : input.value ? "" : input.placeholder;
  if (!shown) continue;
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(input).font;
  const room = input.clientWidth - (input.matches("select") ? 36 : 20);
  if (pen.measureText(shown).width > room) faults.push(`cut in its field: ${shown}`);
}
texts.sort((a, b) => a.rect.top - b.rect.top);
for (let i = 0; i < texts.length; i++) {
  const a = texts[i];
  for (let k = i + 1; k < texts.length && texts[k].rect.top < a.rect.bottom - 2; k++) {
    const b = texts[k];
    if (a.node === b.node) continue;
    const over = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
    const under = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
    // Line boxes of neighbours may touch; letters may not.
    if (over > 2 && under > 4) faults.push(`over each other: ${said(a)} | ${said(b)}`);
  }
}
return [...new Set(faults)].slice(0, 20);
"""

# Texts whose contrast with what lies behind them is below 4.5.
CONTRAST = TEXTS + """
const parse = (text) => {
  const found = /^rgba?\\(([\\d.]+), ([\\d.]+), ([\\d.]+)(?:, ([\\d.]+))?\\)$/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3]), Number(found[4] ?? 1)] : null;
};
const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3])).concat(1);
const behind = (box) => {
  const layers = [];
  for (let at = box; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (!color) continue;
    layers.push(color);
    if (color[3] === 1) break;
  }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
};
const light = (color) => color.slice(0, 3).map((c) => c / 255).map((c) =>
  c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4).reduce((sum, c, i) =>
  sum + c * [.2126, .7152, .0722][i], 0);
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + .05) / (y + .05);
};
const low = new Set();
const look = (box, color, text) => {
  const below = behind(box);
  const ink = parse(color);
  if (!ink) return low.add(`unread color ${color}: ${text}`);
  const value = ratio(over(ink, below), below);
  if (value < 4.5) low.add(`${value.toFixed(2)}: ${text} (.${box.className})`);
};
for (const one of texts) {
  if (one.box.closest(":disabled")) continue;
  look(one.box, getComputedStyle(one.box).color, said(one));
}
for (const input of layer.querySelectorAll("input[placeholder], select")) {
  if (!input.checkVisibility()) continue;
  look(input, getComputedStyle(input, input.placeholder ? "::placeholder" : null).color,
    input.placeholder || input.value);
}
return {texts: texts.length, low: [...low].slice(0, 20)};
"""

# Marks what Tab must reach, and notes what it does reach.
TABBABLE = """
const layer = document.querySelector("dialog[open]") ?? document;
const wanted = [...layer.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({checkVisibilityCSS: true}));
window.reached = new Set();
window.wanted = wanted;
document.addEventListener("focusin", (event) => window.reached.add(event.target));
document.activeElement?.blur();
return wanted.length;
"""
NOT_REACHED = """
return window.wanted.filter((one) => one.isConnected && !window.reached.has(one)).map((one) =>
  one.outerHTML.slice(0, 100));
"""


def layout_faults(browser):
    return browser.run(LAYOUT)


def contrast_faults(browser):
    found = browser.run(CONTRAST)
    if found["texts"] < 3:
        return [f"only {found['texts']} texts were looked at"]
    return found["low"]


def nameless(browser):
    """What can have the focus and has no role or no name in the accessibility tree."""
    browser.cdp("Accessibility.enable")
    nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    faults, seen = [], 0
    for node in nodes:
        if node.get("ignored"):
            continue
        properties = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
        if not properties.get("focusable"):
            continue
        seen += 1
        role = node.get("role", {}).get("value", "")
        name = node.get("name", {}).get("value", "").strip()
        if role in ("main", "RootWebArea"):  # the start of the page, and the page
            continue
        if role in ("", "generic", "none") or not name:
            faults.append(f"{role or 'no role'} without a name: {node.get('description')} {properties}")
    return faults if seen > 1 else [f"only {seen} can have the focus"]


def not_reached_by_tab(browser):
    count = browser.run(TABBABLE)
    browser.keys(*["\ue004"] * (count + 6))
    return browser.run(NOT_REACHED)
