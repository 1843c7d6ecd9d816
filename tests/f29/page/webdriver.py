"""A browser for the page's tests: chromium through chromedriver, spoken to in W3C WebDriver.

Nothing here waits by the clock: a condition is looked at in the page on every frame, with a limit.
"""

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request

LIMIT_S = 20  # of one condition; a page that needs more has failed
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--no-default-browser-check", "--force-device-scale-factor=1",
    "--lang=es-CL", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class WebDriverError(Exception):
    """What the driver refused: error code and its message."""


class Browser:
    """One browser with one tab. Use it with `with`."""

    def __init__(self, downloads):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.session = None
        self.downloads = downloads
        self.seen = []  # every request of the page, by address
        self.errors = []  # what the console said, errors only
        try:
            self.base = f"http://127.0.0.1:{self._port()}"
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome",
                "timeouts": {"script": LIMIT_S * 1000, "pageLoad": LIMIT_S * 1000},
                "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                "goog:chromeOptions": {"args": ARGUMENTS, "prefs": {
                    "download.default_directory": downloads,
                    "download.prompt_for_download": False}}}}})
            self.session = f"/session/{answer['sessionId']}"
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.session:
            try:
                self._call("DELETE", self.session)
            except (WebDriverError, OSError):
                pass
            self.session = None
        self.driver.terminate()
        self.driver.wait(LIMIT_S)

    def _port(self):
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return int(line.rstrip(". \n").rsplit(" ", 1)[1])
        raise WebDriverError("chromedriver did not start")

    def _call(self, method, path, body=None):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=3 * LIMIT_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            value = json.load(refused)["value"]
            raise WebDriverError(f"{value['error']}: {value['message'][:400]}") from None

    def ask(self, method, path, body=None):
        return self._call(method, self.session + path, body)

    # ---- what a person does ---------------------------------------------------------------------

    def open(self, url):
        self.ask("POST", "/url", {"url": url})

    def find(self, css):
        return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def button(self, text, within="body"):
        """The visible button, link or summary of that text."""
        found = self.until(
            f"""const all = [...document.querySelectorAll({json.dumps(within)})].flatMap((one) =>
                [...one.querySelectorAll("button, a, summary")]);
            return all.find((one) => one.checkVisibility() &&
                one.textContent.trim() === {json.dumps(text)});""", f"button {text!r}")
        return found[ELEMENT]

    def click(self, element):
        self.ask("POST", f"/element/{element}/click")

    def idle(self):
        """Nothing is asked of the service any more, and what was asked is drawn."""
        self.until("return !document.querySelector('main[aria-busy=true], .busy, .working, .loading');",
                   "the page to be idle")

    def press(self, text, within="body"):
        self.idle()
        self.click(self.button(text, within))

    def type(self, css, text, clear=True):
        element = self.find(css)
        if clear:
            self.ask("POST", f"/element/{element}/clear")
        self.ask("POST", f"/element/{element}/value", {"text": text})

    def keys(self, *keys):
        """Presses keys one after another, wherever the focus is."""
        actions = []
        for key in keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": actions}]})

    def drop(self, css, files):
        """Drops files {name: bytes} on an element."""
        named = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
        self.run("""const [css, files] = arguments;
            const all = new DataTransfer();
            for (const [name, text] of files) {
              const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
              all.items.add(new File([bytes], name));
            }
            document.querySelector(css).dispatchEvent(new DragEvent("drop",
              {dataTransfer: all, bubbles: true, cancelable: true}));""", css, named)

    # ---- looking --------------------------------------------------------------------------------

    def run(self, script, *arguments):
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def until(self, script, what):
        """Looks on every frame until the script returns something true, and returns it."""
        value = self.ask("POST", "/execute/async", {"args": [], "script": f"""
            const done = arguments[arguments.length - 1];
            const test = () => {{ {script} }};
            const end = performance.now() + {(LIMIT_S - 5) * 1000};
            const look = () => {{
              let value = null;
              try {{ value = test(); }} catch (error) {{ value = null; }}
              if (value) done({{value}});
              else if (performance.now() > end) done(null);
              else setTimeout(look, 15);
            }};
            look();"""})
        if value is None:
            raise AssertionError(f"did not come: {what}; the page says:\n{self.text()[:1500]}")
        return value["value"]

    def text(self, css="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? '';", css)

    def until_text(self, text, css="body"):
        self.until(f"return [...document.querySelectorAll({json.dumps(css)})].some((one) => "
                   f"one.checkVisibility() && one.innerText.includes({json.dumps(text)}));",
                   f"{text!r} in {css}")

    def cdp(self, command, **parameters):
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def downloaded(self, count):
        """Waits until that many files are whole in the folder, by asking the browser for a frame
        between two looks."""
        for _ in range(600):
            try:
                with os.scandir(self.downloads) as entries:
                    files = {one.name: one.stat().st_size for one in entries}
            except FileNotFoundError:  # it has just taken its place
                continue
            # The browser first makes the file empty, and fills another that takes its place.
            partial = [name for name in files if name.endswith((".crdownload", ".tmp")) or name[0] == "."]
            if len(files) >= count and not partial and all(files.values()):
                return
            self.ask("POST", "/execute/async", {"args": [], "script":
                     "setTimeout(arguments[arguments.length - 1], 15);"})
        raise AssertionError(f"not downloaded: {files}")

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def theme(self, name):
        self.cdp("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": name}])

    def screenshot(self, path):
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.cdp("Page.captureScreenshot", format="png")["data"]))

    def read_logs(self):
        """Takes what was logged since the last call into `seen` and `errors`."""
        for entry in self.ask("POST", "/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.seen.append(message["params"]["request"]["url"])
        for entry in self.ask("POST", "/se/log", {"type": "browser"}):
            if entry["level"] in ("SEVERE", "WARNING"):
                self.errors.append(entry["message"])
